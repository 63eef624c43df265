// Every bound of the program that is a constant, in one place. Bounds that an operator may move are keys of the
// configuration (docs/configuration.md) and have their defaults there.
#pragma once

#include <cstddef>
#include <cstdint>

namespace halocline::limits {

// Names, in bytes of UTF-8.
inline constexpr std::size_t kMaxName = 64;     // book, desk, trader, instrument, limit, owner …
inline constexpr std::size_t kMaxSource = 32;   // a trade's source
inline constexpr std::size_t kMaxTradeId = 64;  // a trade's id within its source
inline constexpr std::size_t kMaxNote = 256;    // an acknowledgement's note
inline constexpr std::size_t kMaxFixAnswer = 600;    // what a reply to a FIX message repeats of it
inline constexpr std::size_t kMaxFixMessage = 1'500;  // an application message we send

// Numbers, at scale 1e-8 unless said otherwise. They keep every sum in 128 bits whatever is sent; see docs/semantics.md.
inline constexpr std::int64_t kScale = 100'000'000;
inline constexpr std::int64_t kMaxQuantity = 1'000'000'000'000'000'000;        // 1e10 units a trade
inline constexpr std::int64_t kMaxPrice = 100'000'000'000'000'000;             // 1e9
inline constexpr std::int64_t kMaxMultiplier = 100'000'000'000'000;            // 1e6
inline constexpr std::int64_t kMaxRate = 10'000'000'000'000;                   // 1e5 firm currency units for one
inline constexpr std::int64_t kMaxFees = 1'000'000'000'000'000'000;            // 1e10
inline constexpr __int128 kMaxPriceTimesMultiplier =                           // 1e9, at scale 1e-16
    static_cast<__int128>(1'000'000'000'000'000'000) * 10'000'000;
inline constexpr __int128 kMaxNotional =                                       // 1e12 a trade
    static_cast<__int128>(1'000'000'000'000'000'000) * 100;
inline constexpr __int128 kMaxPositionQuantity =                               // 1e11 units
    static_cast<__int128>(1'000'000'000'000'000'000) * 10;
inline constexpr __int128 kMaxLimitLevel =                                     // 1e18
    static_cast<__int128>(1'000'000'000'000'000'000) * 100'000'000;

// How many of each kind of thing there may be.
inline constexpr std::uint32_t kMaxCurrencies = 256;
inline constexpr std::uint32_t kMaxInstruments = 65'536;
inline constexpr std::uint32_t kMaxNodes = 1u << 20;
inline constexpr std::uint32_t kMaxSources = 4'096;
inline constexpr std::uint32_t kMaxLimits = 65'536;
inline constexpr std::uint32_t kMaxTrades = 0xFFFF'FFF0u;
inline constexpr std::uint32_t kMaxParked = 65'536;       // trades that wait for their instrument
inline constexpr std::uint32_t kMaxFixSessions = 4'096;
inline constexpr std::uint32_t kMaxFixNumber = 2'000'000'000;  // a MsgSeqNum
inline constexpr std::uint32_t kMaxFixUnanswered = 1u << 20;  // messages whose reply is not in the journal

// A node's trade rate counts the last so many whole seconds.
inline constexpr std::uint32_t kTradeRateSeconds = 10;

// One encoded command, and one block of the journal (docs/formats/journal.md).
inline constexpr std::size_t kMaxCommandBytes = 8'192;
inline constexpr std::size_t kMaxBlockBytes = 1u << 20;
inline constexpr std::size_t kMaxSubmissionBytes = 256u << 10;

// Queries (docs/queries.md).
inline constexpr std::size_t kMaxQueryBytes = 64u << 10;     // of SQL text
inline constexpr std::size_t kMaxQueryNesting = 64;          // brackets and CASEs in each other
inline constexpr std::size_t kMaxQueryNodes = 16'384;        // of its syntax tree
inline constexpr std::size_t kMaxQueryDepth = 512;           // of its syntax tree; a chain of n operators has n
inline constexpr std::size_t kMaxQueryColumns = 128;         // of the result; also of GROUP BY and ORDER BY
inline constexpr std::size_t kMaxQueryLiteral = 1'024;       // bytes of a text
inline constexpr std::size_t kMaxQueryParameters = 256;
inline constexpr std::size_t kMaxQueryRows = 1'000'000;      // of a result, and groups while it is worked out
inline constexpr std::size_t kMaxQueryResultBytes = 256u << 20;
inline constexpr std::size_t kMaxLiveQueryBytes = 512u << 20;  // what a continuous query may keep
inline constexpr std::size_t kMaxLiveQueries = 200'000;       // registered at a time
inline constexpr std::size_t kMaxRecentEventBytes = 64u << 20;  // of what continuous queries told, for those who come back
inline constexpr std::size_t kMaxQueriesAStream = 20'000;     // … by one stream of a client
inline constexpr std::size_t kMaxNamedQueryBytes = 4'096;    // of the SQL text of a query with a name
inline constexpr std::uint32_t kMaxNamedQueries = 65'536;    // ever made, dropped ones too
inline constexpr std::size_t kMaxAlertRows = 10'000;         // of the answer of a CREATE ALERT
inline constexpr std::size_t kMaxAlertRowBytes = 4'096;      // of what an alert says of its row
inline constexpr std::uint64_t kMaxQueryPairs = 1'000'000'000;  // of rows a join may look at
inline constexpr __int128 kMaxQueryDecimal =                 // 1e21 at scale 1e-8: a result beyond it is NULL
    static_cast<__int128>(1'000'000'000'000'000'000) * 100'000'000'000;

}  // namespace halocline::limits
