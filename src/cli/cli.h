// The command line of `halocline`: parses it, runs the command, gives the exit code (session.h). Called once, by main.
#pragma once

namespace halocline::cli {

int run(int argc, char** argv);

}  // namespace halocline::cli
