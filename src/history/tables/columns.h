// What several tables write alike. Any thread.
#pragma once

#include <cstddef>
#include <string_view>

#include "history/parquet/parquet_rows.h"
#include "history/tables/table_definition.h"
#include "history/tables/versions.h"

namespace halocline {

// The text, or null when it is empty: nothing was said, or a number had no word and was refused.
inline void put_word(iceberg::ParquetRows& to, std::size_t column, std::string_view word) {
  if (word.empty()) to.null(column);
  else to.text(column, word);
}

// A timestamptz, and nanoseconds in the column behind it.
inline void put_time(iceberg::ParquetRows& to, std::size_t column, Nanos time) {
  to.number(column, micros_of(time));
  to.number(column + 1, time);
}

// The same of a time that may not have been given: null, and 0 nanoseconds.
inline void put_given_time(iceberg::ParquetRows& to, std::size_t column, Nanos time) {
  if (time == 0) to.null(column);
  else to.number(column, micros_of(time));
  to.number(column + 1, time);
}

// From when to when a version held: a seq, a timestamptz and nanoseconds each, and whether it is the current one: then the second three
// are null.
inline void put_validity(iceberg::ParquetRows& to, std::size_t column, Moment from, Moment until) {
  to.number(column, static_cast<std::int64_t>(from.seq));
  put_time(to, column + 1, from.time);
  to.flag(column + 6, until.seq == 0);
  if (until.seq != 0) {
    to.number(column + 3, static_cast<std::int64_t>(until.seq));
    return put_time(to, column + 4, until.time);
  }
  for (std::size_t i = 3; i < 6; ++i) to.null(column + i);
}

}  // namespace halocline
