// What it takes to reach an S3: endpoint, region, addressing, credentials; and the same said to those who read the tables, as properties of
// Iceberg's FileIO. Secrets are in files or the environment only, so that nothing that prints a configuration prints one.
//
//   Result<S3Settings> settings = complete({.endpoint = "http://127.0.0.1:9000"});
//   Result<S3Credentials> credentials = parse_s3_credentials(text_of_the_file);
//
// Pure functions but for the environment; any thread.
#pragma once

#include <string>
#include <string_view>

#include "base/status.h"
#include "history/iceberg/table_metadata.h"

namespace halocline {

// A key pair; nothing in it: none was given.
struct S3Credentials {
  std::string access_key, secret_key;
  std::string session_token;  // of temporary credentials; else empty

  bool given() const { return !access_key.empty(); }
};

struct S3Settings {
  std::string endpoint = {};  // "https://minio.example.com:9000"; empty: Amazon's of the region
  std::string region = {};    // empty: as the AWS SDK finds it
  bool path_style = true;     // with an endpoint, whether the bucket stands in the path of URLs; without one it never does
  std::string ca_file = {};   // PEM, who signed the endpoint's certificate; empty: whom the machine trusts
  S3Credentials credentials = {};  // none: as the AWS SDK finds them (environment, ~/.aws, the machine's role)
};

// With what is empty taken from the environment: AWS_ENDPOINT_URL_S3 or AWS_ENDPOINT_URL, AWS_REGION or AWS_DEFAULT_REGION,
// AWS_CA_BUNDLE. A region that nobody names is us-east-1 at an endpoint of one's own. kInvalidArgument: the endpoint is no http:// or
// https:// with a host.
Result<S3Settings> complete(S3Settings settings);

// A credentials file as the AWS tools write it: lines `aws_access_key_id = …`, `aws_secret_access_key = …` and perhaps
// `aws_session_token = …`; of several [profile]s the first one counts. kInvalidArgument, which quotes nothing of it.
Result<S3Credentials> parse_s3_credentials(std::string_view text);

// Properties of FileIO, REST spec "LoadTableResult" and Iceberg's "S3 FileIO": where the files are, no secrets.
iceberg::Properties s3_file_io(const S3Settings& settings);
// … and how to be let in.
iceberg::Properties s3_file_io(const S3Credentials& credentials);

}  // namespace halocline
