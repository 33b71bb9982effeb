//! Health, metrics, listen links, methods, paths and headers.

use reqwest::Method;

use crate::core::{BAD_TOKEN, TARGET, TOKEN};
use crate::place::{PHOTO, Place, kind_of};

#[tokio::test]
async fn health_and_metrics_answer() {
    let place = Place::new().await;
    assert_eq!(place.get("/healthz").await.text().await.unwrap(), "ok\n");
    assert_eq!(place.get("/readyz").await.text().await.unwrap(), "{\"ready\":true,\"parts\":{\"model\":\"loaded\"}}\n");
    place.api.state.lock().unwrap().is_unready = true;
    let unready = place.get("/readyz").await;
    assert_eq!(unready.status(), 503);
    assert!(unready.text().await.unwrap().starts_with("{\"ready\":false"));
    let metrics = place.get("/metrics").await;
    assert!(metrics.headers()["content-type"].to_str().unwrap().starts_with("application/openmetrics-text"));
    assert_eq!(metrics.text().await.unwrap(), "# EOF\n");
}

#[tokio::test]
async fn parts_are_shown_to_who_has_the_key() {
    let place = Place::with_key("k").await;
    assert_eq!(place.get("/readyz").await.text().await.unwrap(), "{\"ready\":true}\n");
    let with_key = place.client.get(place.url("/readyz")).bearer_auth("k").send().await.unwrap();
    assert!(with_key.text().await.unwrap().contains("loaded"));
}

#[tokio::test]
async fn requests_are_counted_by_route_and_status() {
    let place = Place::new().await;
    place.get("/healthz").await;
    place.get("/go/secret-token").await;
    place.get("/wp-login.php").await;
    place.post("/v1/suggest", PHOTO).await;
    let counts = place.health.counts();
    for (what, n) in [
        (("request", "/healthz"), 1),
        (("request", "/go/{token}"), 1),
        (("request", "other"), 1),
        (("request", "/v1/suggest"), 1),
        (("status", "2xx"), 2),
        (("status", "4xx"), 2),
    ] {
        assert!(counts.contains(&(what, n)), "{what:?} in {counts:?}");
    }
    assert_eq!(place.health.state().name(), "up");
}

#[tokio::test]
async fn a_listen_link_leads_where_its_token_says_and_nowhere_else() {
    let place = Place::new().await;
    let response = place.get(&format!("/go/{TOKEN}")).await;
    assert_eq!((response.status().as_u16(), response.headers()["location"].to_str().unwrap()), (302, TARGET));
    let more = place.get(&format!("/go/{TOKEN}?to=https://evil.example&url=//evil.example")).await;
    assert_eq!(more.headers()["location"], TARGET);
    assert_eq!(place.api.state.lock().unwrap().n_follows, 2);
    for token in [
        "unknown",
        BAD_TOKEN,
        "https%3A%2F%2Fevil.example",
        "%2F%2Fevil.example",
        "..%2f..%2fetc",
        "a%0d%0aLocation:%20x",
        "%ff",
        "a/b",
        "",
        &"a".repeat(3000),
    ] {
        let response = place.get(&format!("/go/{token}")).await;
        assert!(response.headers().get("location").is_none(), "{token}");
        assert_eq!(kind_of(response).await, (404, "not_found".into()), "{token}");
    }
    let head = place.client.head(place.url(&format!("/go/{TOKEN}"))).send().await.unwrap();
    assert_eq!(head.status(), 405);
    assert_eq!(place.api.state.lock().unwrap().n_follows, 4, "only well-formed tokens were looked at, and no HEAD");
}

#[tokio::test]
async fn other_paths_and_methods_are_refused() {
    let place = Place::new().await;
    for path in ["/v1", "/v1/", "/v1/suggest/", "/V1/suggest", "//", "/index.html", "/.git/config", "/openapi.json/x"] {
        assert_eq!(kind_of(place.get(path).await).await, (404, "not_found".into()), "{path}");
    }
    // As they are: a client of the library would tidy them.
    for path in ["/../etc/passwd", "/v1/../metrics", "/%2e%2e/etc/passwd", "/go/../metrics", "/assets/page.js"] {
        let answer = place.raw(format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").as_bytes()).await;
        assert!(answer.starts_with("HTTP/1.1 404 "), "{path}: {answer}");
    }
    for (method, path, allowed) in [
        (Method::GET, "/v1/suggest", "POST"),
        (Method::OPTIONS, "/v1/suggest", "POST"),
        (Method::PUT, "/", "GET,HEAD,POST"),
        (Method::DELETE, "/metrics", "GET,HEAD"),
        (Method::TRACE, "/healthz", "GET,HEAD"),
    ] {
        let response = place.client.request(method.clone(), place.url(path)).send().await.unwrap();
        assert_eq!(response.headers()["allow"], allowed, "{method} {path}");
        assert!(response.headers().get("access-control-allow-origin").is_none());
        assert_eq!(kind_of(response).await, (405, "method".into()), "{method} {path}");
    }
    let head = place.client.head(place.url("/healthz")).send().await.unwrap();
    assert_eq!((head.status().as_u16(), head.text().await.unwrap().as_str()), (200, ""));
}

#[tokio::test]
async fn every_response_carries_an_id_and_the_headers_that_keep_browsers_from_harm() {
    let place = Place::new().await;
    let mut ids = std::collections::BTreeSet::new();
    for path in ["/", "/healthz", "/nothing", "/v1/songs", "/v1/suggest", "/go/x", "/openapi.json"] {
        let response = place.get(path).await;
        let headers = response.headers();
        assert_eq!(headers["x-content-type-options"], "nosniff", "{path}");
        assert_eq!(headers["x-frame-options"], "DENY", "{path}");
        assert_eq!(headers["referrer-policy"], "no-referrer", "{path}");
        assert_eq!(headers["cache-control"], "no-store", "{path}");
        let policy = headers["content-security-policy"].to_str().unwrap();
        assert!(policy.starts_with("default-src 'none'") && !policy.contains("unsafe"), "{path}: {policy}");
        assert!(headers.get("server").is_none(), "{path}");
        ids.insert(headers["x-request-id"].to_str().unwrap().to_owned());
    }
    assert_eq!(ids.len(), 7);
}
