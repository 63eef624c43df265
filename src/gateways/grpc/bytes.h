// Between gRPC's byte buffers and messages. Pure functions, any thread.
#pragma once

#include <string>

#include <google/protobuf/message_lite.h>
#include <grpcpp/support/byte_buffer.h>

namespace halocline::rpc {

// The buffer's bytes in one piece; `out` keeps its capacity. The buffer is empty afterwards.
void take_bytes(grpc::ByteBuffer& buffer, std::string& out);

// False when the bytes are no such message, or hold text that is not UTF-8.
bool parse(const grpc::ByteBuffer& buffer, google::protobuf::MessageLite& message);

grpc::ByteBuffer to_bytes(const google::protobuf::MessageLite& message);

}  // namespace halocline::rpc
