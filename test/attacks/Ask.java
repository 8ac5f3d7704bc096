// Arguments: a URL, a body, then names and values of headers. Posts the body twice with the JDK's HttpClient.
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;

public class Ask {
  public static void main(String[] given) throws Exception {
    var request = HttpRequest.newBuilder(URI.create(given[0])).POST(HttpRequest.BodyPublishers.ofString(given[1]));
    for (int at = 2; at < given.length; at += 2) request.header(given[at], given[at + 1]);
    var client = HttpClient.newHttpClient();
    // The second request reuses the connection of the first one.
    for (int turn = 0; turn < 2; turn += 1) {
      var response = client.send(request.build(), HttpResponse.BodyHandlers.ofString());
      System.out.println(response.statusCode() + " " + response.body());
    }
  }
}
