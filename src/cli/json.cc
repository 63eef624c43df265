#include "cli/json.h"

#include <cstdio>

#include "cli/text.h"
#include "command/command.h"
#include "halocline/v1/risk.pb.h"
#include "halocline/v1/reference.pb.h"

namespace halocline::cli {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

std::string enum_text(const google::protobuf::EnumValueDescriptor& value) {
  const google::protobuf::EnumDescriptor* type = value.type();
  if (value.number() == 0) return type == v1::AlertLevel_descriptor() ? value.name() : "";
  if (type == v1::NodeKind_descriptor()) return std::string(kind_name(static_cast<NodeKind>(value.number())));
  if (type == v1::Measure_descriptor()) return std::string(measure_name(static_cast<Measure>(value.number())));
  if (type == v1::InstrumentKind_descriptor()) {
    return std::string(instrument_kind_name(static_cast<InstrumentKind>(value.number())));
  }
  return value.name().starts_with("CAUSE_") ? value.name().substr(6) : value.name();
}

// The value at `index` of a repeated field, or of a single one for -1.
Json value_of_field(const Message& message, const FieldDescriptor& field, int index) {
  const google::protobuf::Reflection& r = *message.GetReflection();
  const bool many = index >= 0;
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_INT32:
      return many ? r.GetRepeatedInt32(message, &field, index) : r.GetInt32(message, &field);
    case FieldDescriptor::CPPTYPE_INT64:
      return many ? r.GetRepeatedInt64(message, &field, index) : r.GetInt64(message, &field);
    case FieldDescriptor::CPPTYPE_UINT32:
      return many ? r.GetRepeatedUInt32(message, &field, index) : r.GetUInt32(message, &field);
    case FieldDescriptor::CPPTYPE_UINT64:
      return many ? r.GetRepeatedUInt64(message, &field, index) : r.GetUInt64(message, &field);
    case FieldDescriptor::CPPTYPE_BOOL:
      return many ? r.GetRepeatedBool(message, &field, index) : r.GetBool(message, &field);
    case FieldDescriptor::CPPTYPE_STRING:
      return many ? r.GetRepeatedString(message, &field, index) : r.GetString(message, &field);
    case FieldDescriptor::CPPTYPE_ENUM:
      return enum_text(many ? *r.GetRepeatedEnum(message, &field, index) : *r.GetEnum(message, &field));
    case FieldDescriptor::CPPTYPE_MESSAGE:
      return to_json(many ? r.GetRepeatedMessage(message, &field, index) : r.GetMessage(message, &field));
    default: return nullptr;
  }
}

}  // namespace

Json to_json(const Message& message) {
  const google::protobuf::Reflection& r = *message.GetReflection();
  Json json = Json::object();
  for (int i = 0; i < message.GetDescriptor()->field_count(); ++i) {
    const FieldDescriptor& field = *message.GetDescriptor()->field(i);
    std::string name = field.name();
    if (field.is_repeated()) {
      Json& list = json[name] = Json::array();
      for (int k = 0; k < r.FieldSize(message, &field); ++k) list.push_back(value_of_field(message, field, k));
      continue;
    }
    if (field.has_presence() && !r.HasField(message, &field)) continue;
    Json value = value_of_field(message, field, -1);
    if (name.ends_with("_e8")) {
      name.resize(name.size() - 3);
      value = e8_text(value.get<std::int64_t>());
    } else if ((name == "time_ns" || name.ends_with("_time_ns")) && name != "uptime_ns" && name != "recovery_time_ns") {
      name.resize(name.size() - 3);
      const auto ns = value.get<std::int64_t>();
      value = ns == 0 ? Json(nullptr) : Json(time_text(ns));
    }
    json[name] = std::move(value);
  }
  return json;
}

void print_json(const Json& json) {
  const std::string text = json.dump(-1, ' ', false, Json::error_handler_t::replace);
  std::fwrite(text.data(), 1, text.size(), stdout);
  std::fputc('\n', stdout);
}

}  // namespace halocline::cli
