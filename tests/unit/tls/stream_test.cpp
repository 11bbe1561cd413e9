#include "tls/stream.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <csignal>

#include "base/error.h"

namespace ospatrol::tls {
namespace {

using testing::HasSubstr;
using Result = Stream::Result;

std::string Data(const std::string& name) { return OSPATROL_TEST_DATA "/tls/" + name; }

Files Server() { return {Data("server.pem"), Data("server.key"), {}}; }

// A server and a client on the two ends of a socket pair, on one thread.
struct Pair {
  Pair(const Context& server_context, const Context& client_context) {
    signal(SIGPIPE, SIG_IGN);
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0) std::abort();
    server = std::make_unique<Stream>(server_context, base::Fd(ends[0]), Stream::Side::kServer);
    client = std::make_unique<Stream>(client_context, base::Fd(ends[1]), Stream::Side::kClient);
  }

  static bool Waits(Result result) {
    return result == Result::kWantRead || result == Result::kWantWrite;
  }

  // Both until neither waits any longer; a few rounds are enough.
  std::pair<Result, Result> Handshake() {
    Result at_server = Result::kWantRead;
    Result at_client = Result::kWantRead;
    for (int i = 0; i < 10 && (Waits(at_server) || Waits(at_client)); ++i) {
      if (Waits(at_client)) at_client = client->Handshake();
      if (Waits(at_server)) at_server = server->Handshake();
    }
    return {at_server, at_client};
  }

  std::unique_ptr<Stream> server;
  std::unique_ptr<Stream> client;
};

TEST(Stream, CarriesBytesBothWaysAndClosesInOrder) {
  Pair pair(Context::Server(Server()), Context::Client({}));
  ASSERT_EQ(pair.Handshake(), std::pair(Result::kDone, Result::kDone));
  std::string_view request = "question";
  EXPECT_EQ(pair.client->Write(request), Result::kDone);
  EXPECT_TRUE(request.empty());
  std::string received;
  EXPECT_EQ(pair.server->Read(received), Result::kDone);
  EXPECT_EQ(received, "question");
  EXPECT_EQ(pair.server->Read(received), Result::kWantRead);
  std::string_view answer = "answer";
  EXPECT_EQ(pair.server->Write(answer), Result::kDone);
  EXPECT_EQ(pair.server->Close(), Result::kDone);
  received.clear();
  EXPECT_EQ(pair.client->Read(received), Result::kDone);
  EXPECT_EQ(received, "answer");
  EXPECT_EQ(pair.client->Read(received), Result::kClosed);
}

TEST(Stream, ChecksTheServersAuthority) {
  Pair good(Context::Server(Server()), Context::Client({{}, {}, Data("ca.pem")}));
  EXPECT_EQ(good.Handshake(), std::pair(Result::kDone, Result::kDone));
  Pair bad(Context::Server({Data("other.pem"), Data("other.key"), {}}),
           Context::Client({{}, {}, Data("ca.pem")}));
  EXPECT_EQ(bad.Handshake().second, Result::kFailed);
  EXPECT_THAT(bad.client->fault(), HasSubstr("certificate"));
}

TEST(Stream, AServerWithAuthoritiesWantsACertificateOfThem) {
  Files files = Server();
  files.authorities = Data("ca.pem");
  const Context server = Context::Server(files);
  Pair without(server, Context::Client({}));
  EXPECT_EQ(without.Handshake().first, Result::kFailed);
  EXPECT_THAT(without.server->fault(), HasSubstr("certificate"));
  Pair wrong(server, Context::Client({Data("other.pem"), Data("other.key"), {}}));
  EXPECT_EQ(wrong.Handshake().first, Result::kFailed);
  Pair right(server, Context::Client({Data("client.pem"), Data("client.key"), {}}));
  EXPECT_EQ(right.Handshake().first, Result::kDone);
}

TEST(Stream, KnowsWhoTheCertificateIsFor) {
  Pair pair(Context::Server(Server()), Context::Client({}));
  pair.Handshake();
  for (const char* name : {"manager.example", "MANAGER.example", "manager.example.", "127.0.0.1",
                           "::1", "0:0:0:0:0:0:0:1", "one.wild.example", "manager.common"}) {
    EXPECT_TRUE(pair.client->PeerIsCalled(name)) << name;
  }
  for (const char* name : {"other.example", "example", "127.0.0.2", "a.b.wild.example",
                           "wild.example", "", ".", "x.manager.example"}) {
    EXPECT_FALSE(pair.client->PeerIsCalled(name)) << name;
  }
  EXPECT_FALSE(pair.server->PeerIsCalled("host1")) << "no certificate at all";
}

TEST(Stream, SaysWhatIsWrongWithAPeerThatSpeaksNoTls) {
  int ends[2];
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
  const base::Fd other(ends[1]);
  Stream server(Context::Server(Server()), base::Fd(ends[0]), Stream::Side::kServer);
  ASSERT_EQ(send(other.get(), "GET / HTTP/1.0\r\n\r\n", 18, 0), 18);
  EXPECT_EQ(server.Handshake(), Result::kFailed);
  EXPECT_FALSE(server.fault().empty());
}

std::string FaultOf(const Files& files, const std::string& ciphers = kDefaultCiphers) {
  try {
    Context::Server(files, ciphers);
  } catch (const Error& error) {
    return error.what();
  }
  return {};
}

TEST(Context, NamesTheFileThatCannotBeUsed) {
  EXPECT_EQ(FaultOf(Server()), "");
  EXPECT_EQ(FaultOf({"/nonexistent/cert", Data("server.key"), {}}),
            "Unable to read certificate file (not found): /nonexistent/cert");
  EXPECT_EQ(FaultOf({Data("server.pem"), "/nonexistent/key", {}}),
            "Unable to read private key file (not found): /nonexistent/key");
  EXPECT_THAT(FaultOf({Data("README.md"), Data("server.key"), {}}), HasSubstr("README.md"));
  EXPECT_THAT(FaultOf({Data("server.pem"), Data("other.key"), {}}), HasSubstr("other.key"));
  EXPECT_THAT(FaultOf({Data("server.pem"), Data("server.key"), "/nonexistent/ca"}),
              HasSubstr("/nonexistent/ca"));
  EXPECT_THAT(FaultOf(Server(), "NO-SUCH-CIPHER"), HasSubstr("NO-SUCH-CIPHER"));
}

}  // namespace
}  // namespace ospatrol::tls
