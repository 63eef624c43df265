// The values of queries between the API and the core: parameters in, rows out. Exact both ways. Pure functions, any thread.
#pragma once

#include <vector>

#include "command/query.h"
#include "gateways/grpc/to_command.h"
#include "halocline/v1/queries.pb.h"

namespace halocline::rpc {

// A request's parameters; what is wrong goes to `violations`, each with its path.
QueryParameters to_parameters(const google::protobuf::Map<std::string, v1::QueryValue>& given, std::vector<Violation>& violations);

void to_proto(const std::vector<ColumnType>& columns, google::protobuf::RepeatedPtrField<v1::QueryColumn>& out);
// `row` is packed, its values of these columns.
void to_proto(std::string_view row, const std::vector<ColumnType>& columns, v1::QueryRow& out);
void to_proto(const RowEvent& event, const std::vector<ColumnType>& columns, v1::RowChange& out);

}  // namespace halocline::rpc
