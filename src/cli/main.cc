#include "cli/cli.h"

int main(int argc, char** argv) { return halocline::cli::run(argc, argv); }
