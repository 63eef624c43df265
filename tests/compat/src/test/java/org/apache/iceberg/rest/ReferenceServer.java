package org.apache.iceberg.rest;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.Executors;
import org.apache.iceberg.inmemory.InMemoryCatalog;
import org.apache.iceberg.rest.responses.ErrorResponse;
import org.apache.iceberg.rest.responses.ErrorResponseParser;
import org.apache.iceberg.util.Pair;

/**
 * Iceberg's own REST catalog (RESTCatalogAdapter on its catalog in memory) on a free port of this machine, behind the JDK's HTTP server. It
 * gives tokens for client credentials and wants one with each request. Arguments: the warehouse. Says its address on a line of its own.
 */
public final class ReferenceServer {
  private static final ObjectMapper MAPPER = RESTObjectMapper.mapper();

  public static void main(String[] args) throws IOException {
    InMemoryCatalog catalog = new InMemoryCatalog();
    catalog.initialize("reference", Map.of("warehouse", args[0], "io-impl", "halocline.LocalFiles"));
    RESTCatalogAdapter adapter = new RESTCatalogAdapter(catalog);
    HttpServer server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.setExecutor(Executors.newFixedThreadPool(4));
    server.createContext("/", exchange -> answer(adapter, exchange));
    server.start();
    System.out.println("http://127.0.0.1:" + server.getAddress().getPort());
  }

  private static void answer(RESTCatalogAdapter adapter, HttpExchange exchange) throws IOException {
    int status = 200;
    String text = "";
    try {
      HTTPRequest.HTTPMethod method = HTTPRequest.HTTPMethod.valueOf(exchange.getRequestMethod());
      String path = exchange.getRequestURI().getRawPath().substring(1);
      Pair<Route, Map<String, String>> route = Route.from(method, path);
      if (route == null) {
        status = 404;
        text = error(404, "no such path");
      } else if (route.first() != Route.TOKENS && exchange.getRequestHeaders().getFirst("Authorization") == null) {
        status = 401;
        text = error(401, "a token is wanted");
      } else {
        String body = new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8);
        Object request = body.isEmpty() ? null
            : route.first().requestClass() == null ? form(body) : MAPPER.readValue(body, route.first().requestClass());
        String query = exchange.getRequestURI().getRawQuery();
        HTTPRequest asked = ImmutableHTTPRequest.builder().baseUri(URI.create("http://localhost")).method(method).path(path)
            .queryParameters(query == null ? Map.of() : form(query)).body(request).build();
        RESTResponse response =
            adapter.handleRequest(route.first(), variables(route, asked), asked, route.first().responseClass(), headers -> { });
        if (response == null) {
          status = 204;
        } else {
          text = MAPPER.writeValueAsString(response);
        }
      }
    } catch (Exception failure) {
      ErrorResponse.Builder builder = ErrorResponse.builder();
      RESTCatalogAdapter.configureResponseFromException(failure, builder);
      ErrorResponse response = builder.build();
      status = response.code();
      text = ErrorResponseParser.toJson(response);
    }
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    exchange.getResponseHeaders().set("Content-Type", "application/json");
    exchange.sendResponseHeaders(status, bytes.length == 0 ? -1 : bytes.length);
    exchange.getResponseBody().write(bytes);
    exchange.close();
  }

  private static Map<String, String> variables(Pair<Route, Map<String, String>> route, HTTPRequest request) {
    Map<String, String> variables = new HashMap<>(route.second());
    variables.putAll(request.queryParameters());
    return variables;
  }

  private static Map<String, String> form(String text) {
    Map<String, String> values = new HashMap<>();
    for (String pair : text.split("&")) {
      String[] parts = pair.split("=", 2);
      values.put(URLDecoder.decode(parts[0], StandardCharsets.UTF_8), URLDecoder.decode(parts.length < 2 ? "" : parts[1], StandardCharsets.UTF_8));
    }
    return values;
  }

  private static String error(int code, String message) {
    return ErrorResponseParser.toJson(ErrorResponse.builder().responseCode(code).withType("NotAuthorizedException").withMessage(message).build());
  }
}
