// What the commands of `audit` share: the key an auditor trusts, and the proof file. `audit.cc` has verify and keys, `audit_proof.cc` prove
// and check.
#pragma once

#include <optional>
#include <string>

#include "base/ed25519.h"
#include "base/status.h"
#include "cli/json.h"
#include "cli/session.h"
#include "server/trade_proof.h"

namespace halocline::cli {

inline constexpr const char* kDirectoryHelp = "the server's data directory";
inline constexpr const char* kKeyHelp = "the public key to trust: 64 hexadecimal digits, or a PEM file";

// Empty: none. kInvalidArgument: it is neither digits nor such a file.
Result<std::optional<PublicKey>> parse_key(const std::string& text);

// A proof file (docs/formats/audit.md), and it again. kInvalidArgument: what is wrong.
Json proof_json(const TradeProof& proof);
Result<TradeProof> parse_proof(const std::string& text);

void add_audit_proof(Verb& audit, Session& session);

}  // namespace halocline::cli
