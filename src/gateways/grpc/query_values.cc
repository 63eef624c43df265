#include "gateways/grpc/query_values.h"

#include <optional>

#include "base/decimal.h"
#include "base/limits.h"

namespace halocline::rpc {
namespace {

void to_proto(const Value& value, ValueType type, v1::QueryValue& out) {
  if (value.null) return;
  const auto narrow = static_cast<std::int64_t>(value.number);
  switch (type) {
    case ValueType::kNull: return;
    case ValueType::kBool: return out.set_bool_value(value.number != 0);
    case ValueType::kInt: return out.set_int_value(narrow);
    case ValueType::kDecimal: return out.set_decimal_value(to_decimal(value.number));
    case ValueType::kText: return out.set_text_value(std::string(value.text));
    case ValueType::kTimestamp: return out.set_timestamp_ns(narrow);
    case ValueType::kInterval: return out.set_interval_ns(narrow);
  }
}

std::optional<QueryParameter> to_parameter(const v1::QueryValue& value) {
  const auto number = [](ValueType type, Int128 of) { return QueryParameter{type, of, {}, false}; };
  switch (value.value_case()) {
    case v1::QueryValue::VALUE_NOT_SET: return QueryParameter{};
    case v1::QueryValue::kBoolValue: return number(ValueType::kBool, value.bool_value() ? 1 : 0);
    case v1::QueryValue::kIntValue: return number(ValueType::kInt, value.int_value());
    case v1::QueryValue::kTextValue: return QueryParameter{ValueType::kText, 0, value.text_value(), false};
    case v1::QueryValue::kTimestampNs: return number(ValueType::kTimestamp, value.timestamp_ns());
    case v1::QueryValue::kIntervalNs: return number(ValueType::kInterval, value.interval_ns());
    case v1::QueryValue::kDecimalValue: {
      const std::optional<Int128> decimal = parse_decimal128(value.decimal_value());
      if (!decimal || *decimal > limits::kMaxQueryDecimal || -*decimal > limits::kMaxQueryDecimal) return std::nullopt;
      return number(ValueType::kDecimal, *decimal);
    }
  }
  return std::nullopt;
}

}  // namespace

QueryParameters to_parameters(const google::protobuf::Map<std::string, v1::QueryValue>& given, std::vector<Violation>& violations) {
  QueryParameters parameters;
  if (given.size() > limits::kMaxQueryParameters) {
    violations.push_back({"parameters", "at most " + std::to_string(limits::kMaxQueryParameters)});
    return parameters;
  }
  for (const auto& [name, value] : given) {
    std::optional<QueryParameter> parameter = to_parameter(value);
    if (parameter) {
      parameters.emplace(name, std::move(*parameter));
    } else {
      violations.push_back({"parameters[" + name + "]", "no decimal of at most 8 decimals, up to 1e21"});
    }
  }
  return parameters;
}

void to_proto(const std::vector<ColumnType>& columns, google::protobuf::RepeatedPtrField<v1::QueryColumn>& out) {
  for (const ColumnType& column : columns) {
    v1::QueryColumn& added = *out.Add();
    added.set_name(column.name);
    added.set_type(static_cast<v1::QueryType>(column.type));
  }
}

void to_proto(std::string_view row, const std::vector<ColumnType>& columns, v1::QueryRow& out) {
  PackedReader reader(row);
  for (const ColumnType& column : columns) to_proto(reader.next(column.type), column.type, *out.add_values());
}

void to_proto(const RowEvent& event, const std::vector<ColumnType>& columns, v1::RowChange& out) {
  out.set_kind(static_cast<v1::ChangeKind>(event.kind));
  out.set_key(event.key.data(), event.key.size());
  out.set_order(event.order.data(), event.order.size());
  if (event.kind != RowEvent::Kind::kInsert) to_proto(event.before, columns, *out.mutable_before());
  if (event.kind != RowEvent::Kind::kDelete) to_proto(event.after, columns, *out.mutable_after());
  if (event.kind == RowEvent::Kind::kDelete) out.set_reason(static_cast<v1::DeleteReason>(event.reason));
}

}  // namespace halocline::rpc
