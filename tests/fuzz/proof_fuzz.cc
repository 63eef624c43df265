// Fuzz target of what an auditor is handed: a proof file, or a line of a witness file. Anything is taken; what parses is checked, and is the
// same after it was written and read again.
#include <cstddef>
#include <cstdint>
#include <string>

#include "base/check.h"
#include "cli/audit.h"
#include "journal/tree_head.h"

using namespace halocline;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  if (const Result<WitnessLine> line = parse_witness_line(text); line.ok()) static_cast<void>(line.value().signature_fits());
  const Result<TradeProof> proof = cli::parse_proof(text);
  if (!proof.ok()) return 0;
  const std::vector<std::string> wrong = check_proof(proof.value(), std::nullopt);
  const Result<TradeProof> again = cli::parse_proof(cli::proof_json(proof.value()).dump());
  CHECK(again.ok(), "%s", again.status().message().c_str());
  CHECK(check_proof(again.value(), std::nullopt) == wrong);
  return 0;
}
