#include "cli/past.h"

namespace halocline::cli {

Result<Moment> moment_of(Client& client, const std::string& text) {
  v1::QueryRequest request;
  request.set_sql("SELECT id FROM nodes LIMIT 1");
  if (text != "now") set_as_of(text, *request.mutable_as_of());
  Moment moment;
  const Status status = client.query(request, [&](const v1::QueryPage& page) { moment = {page.seq(), page.time_ns()}; });
  if (!status.ok()) return status;
  return moment;
}

Result<std::vector<Json>> rows_at(Client& client, const std::string& sql, std::uint64_t seq) {
  v1::QueryRequest request;
  request.set_sql(sql);
  request.mutable_as_of()->set_seq(seq);
  return rows_of(client, request);
}

Result<std::vector<Json>> rows_of(Client& client, const v1::QueryRequest& request) {
  std::vector<std::string> columns;
  std::vector<Json> rows;
  const Status status = client.query(request, [&](const v1::QueryPage& page) {
    for (const v1::QueryColumn& column : page.columns()) columns.push_back(column.name());
    for (const v1::QueryRow& row : page.rows()) {
      Json object = Json::object();
      for (int i = 0; i < row.values_size(); ++i) object[columns[static_cast<std::size_t>(i)]] = query_json(row.values(i));
      rows.push_back(std::move(object));
    }
  });
  if (!status.ok()) return status;
  return rows;
}

}  // namespace halocline::cli
