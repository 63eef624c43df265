// What is remembered of a statement reads as if it had been parsed, or is not found.
#include "engine/queries/syntax_memo.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

namespace halocline::queries {
namespace {

// All but the places.
bool same(const Syntax& a, const Syntax& b) {
  return a.kind == b.kind && a.text == b.text && a.qualifier == b.qualifier && a.quoted == b.quoted && a.distinct == b.distinct &&
         std::equal(a.children.begin(), a.children.end(), b.children.begin(), b.children.end(), same);
}

constexpr std::string_view kStatements[] = {
    "SELECT trade_id, price FROM trades WHERE trader = 'ann' AND instrument='AAPL' AND price >= 10.50",
    "SELECT trader, SUM(notional) AS total, COUNT(*) FROM trades\nWHERE book = 'it''s' GROUP BY trader HAVING SUM(notional) > 1000",
    "SELECT * FROM /trades t WHERE t.price > 100.0f && t.quantity IN SET(1, 2, 3L) AND t.side LIKE 'B%'",
    "select trade_id t1, price * 2 p2 from trades where price between 1 and 2 order by 2 desc limit 10",
    "EXPLAIN SELECT trade_id FROM trades WHERE -price < -.5 OR CASE WHEN price > 1. THEN TRUE ELSE live END",
    "SELECT trade_id, price + 1 FROM trades WHERE trader = $1 AND book = :b2",
    "SELECT trade_id FROM trades WHERE trade_time > NOW() - INTERVAL '60 seconds' AND price > 5",
    "SELECT \"Price\" FROM trades WHERE price > 5 -- 7",
};

void expect_as_parsed(const SyntaxMemo& memo, const std::string& text) {
  const std::optional<Statement> found = memo.find(text);
  if (!found) return;
  const Result<Statement> parsed = parse_query(text);
  ASSERT_TRUE(parsed.ok()) << text << ": " << parsed.status().message();
  EXPECT_EQ(found->kind, parsed.value().kind) << text;
  EXPECT_EQ(found->explain, parsed.value().explain) << text;
  EXPECT_TRUE(same(found->select, parsed.value().select)) << text;
}

void note(SyntaxMemo& memo, std::string_view text) {
  const Result<Statement> parsed = parse_query(text);
  ASSERT_TRUE(parsed.ok()) << text << ": " << parsed.status().message();
  memo.note(text, parsed.value());
}

TEST(SyntaxMemo, FindsWhatDiffersInItsLiteralsOnly) {
  SyntaxMemo memo;
  for (const std::string_view text : kStatements) note(memo, text);
  for (const char* text : {"SELECT trade_id, price FROM trades WHERE trader = 'a ''long'' name' AND instrument='' AND price >= 7",
                           "SELECT trader, SUM(notional) AS total, COUNT(*) FROM trades\nWHERE book = '\n' GROUP BY trader "
                           "HAVING SUM(notional) > 0.1",
                           "SELECT * FROM /trades t WHERE t.price > 1f && t.quantity IN SET(12, 2, 3L) AND t.side LIKE '_'"}) {
    EXPECT_TRUE(memo.find(text)) << text;
    expect_as_parsed(memo, text);
  }
  for (const char* text : {"SELECT trade_id, price FROM trades WHERE trader = 'ann' AND instrument=5 AND price >= 10.50",
                           "SELECT trade_id, price FROM trades WHERE trader = 'ann' AND instrument='AAPL' AND price >= 1.2.3",
                           "SELECT trade_id, price + 2 FROM trades WHERE trader = $1 AND book = :b2",
                           "select trade_id t1, price * 2 p2 from trades where price between 1 and 2 order by 2 desc limit 11"}) {
    EXPECT_FALSE(memo.find(text)) << text;
  }
}

TEST(SyntaxMemo, ATextThatWasTamperedWithReadsAsParsedOrIsNotFound) {
  SyntaxMemo memo;
  for (const std::string_view text : kStatements) note(memo, text);
  std::mt19937 random(7);
  constexpr std::string_view kPieces = "'\"0123456789.$:-_ \nabclL(),/*";
  std::size_t found = 0;
  for (int i = 0; i < 40'000; ++i) {
    std::string text(kStatements[random() % std::size(kStatements)]);
    for (std::uint32_t changes = 1 + random() % 3; changes > 0; --changes) {
      const std::size_t at = random() % text.size();
      const char piece = kPieces[random() % kPieces.size()];
      switch (random() % 3) {
        case 0: text[at] = piece; break;
        case 1: text.insert(at, 1, piece); break;
        default: text.erase(at, 1); break;
      }
    }
    found += memo.find(text) ? 1 : 0;
    expect_as_parsed(memo, text);
  }
  EXPECT_GT(found, 300u);
}

}  // namespace
}  // namespace halocline::queries
