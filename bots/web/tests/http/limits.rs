//! What a request may cost: time, places, memory, connections; and how the server ends.

use std::time::Duration;

use image2song_web::options::Options;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::core::Mood;
use crate::place::{PHOTO, Part, Place, kind_of};

const SHORT: Duration = Duration::from_millis(300);
/// Longer than any test waits: what ends sooner was ended.
const FOREVER: Duration = Duration::from_secs(3600);

#[tokio::test]
async fn a_head_that_does_not_end_is_hung_up_on() {
    let place = Place::with(Options { head_timeout: SHORT, ..Options::default() }).await;
    let answer = place.raw(b"GET /healthz HTTP/1.1\r\nHost: x\r\nX-Slow: ").await;
    assert!(!answer.contains("200 OK"), "{answer}");
    assert_eq!(place.get("/healthz").await.status(), 200);
}

#[tokio::test]
async fn a_body_that_does_not_end_is_answered_with_408() {
    let place = Place::with(Options { body_timeout: SHORT, ..Options::default() }).await;
    let head =
        "POST /v1/suggest HTTP/1.1\r\nHost: x\r\nContent-Type: image/jpeg\r\nContent-Length: 1000\r\n\r\n\u{fffd}";
    let answer = place.raw(head.as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 408 ") && answer.contains("\"slow_body\""), "{answer}");
    let head = "POST / HTTP/1.1\r\nHost: x\r\nContent-Type: multipart/form-data; boundary=b\r\nContent-Length: 1000\r\n\r\n--b\r\n";
    let answer = place.raw(head.as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 408 ") && answer.contains("id=\"answer\""), "{answer}");
}

#[tokio::test]
async fn an_answer_that_does_not_come_is_504_and_the_next_one_does() {
    let place = Place::with(Options { answer_timeout: SHORT, ..Options::default() }).await;
    place.api.set(Mood::Sleeps(FOREVER));
    assert_eq!(kind_of(place.post("/v1/suggest", PHOTO).await).await, (504, "slow_answer".into()));
    place.api.set(Mood::Well);
    assert_eq!(place.post("/v1/suggest", PHOTO).await.status(), 200);
}

#[tokio::test]
async fn without_a_place_one_is_told_to_come_again_while_health_still_answers() {
    let place = Place::with(Options { max_concurrent: 1, answer_timeout: FOREVER, ..Options::default() }).await;
    place.api.set(Mood::Sleeps(FOREVER));
    let request = place.client.post(place.url("/v1/suggest")).header("content-type", "image/jpeg").body(PHOTO);
    let first = tokio::spawn(request.send());
    while place.api.state.lock().unwrap().asked.is_empty() {
        tokio::task::yield_now().await;
    }
    for path in ["/v1/suggest", "/v1/tags"] {
        let response = place.post(path, PHOTO).await;
        assert_eq!(response.headers()["retry-after"], "1");
        assert_eq!(kind_of(response).await, (503, "busy".into()));
    }
    assert_eq!(place.get("/v1/songs?q=a").await.status(), 503);
    let page = place.form("/", &[Part::Photo("a", PHOTO)]).await;
    assert_eq!((page.status().as_u16(), &page.headers()["retry-after"]), (503, &"1".parse().unwrap()));
    for path in ["/healthz", "/readyz", "/metrics", "/"] {
        assert_eq!(place.get(path).await.status(), 200, "{path}");
    }
    // Who hangs up gives the place back.
    first.abort();
    let _ = first.await;
    place.api.set(Mood::Well);
    while place.post("/v1/suggest", PHOTO).await.status() != 200 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn photos_in_memory_have_a_bound_for_all_requests_together() {
    let place = Place::with(Options { max_held_bytes: 40 * 1024, answer_timeout: FOREVER, ..Options::default() }).await;
    let photo: &'static [u8] = vec![0xff; 30 * 1024].leak();
    assert_eq!(place.post("/v1/suggest", photo).await.status(), 200);
    let form = place.form("/v1/suggest", &[Part::Photo("a", photo), Part::Photo("b", photo)]).await;
    assert_eq!(kind_of(form).await, (503, "busy".into()));
    assert_eq!(place.post("/v1/suggest", photo).await.status(), 200, "what was held is given back");
}

#[tokio::test]
async fn an_announced_length_is_refused_before_anything_is_read() {
    let place = Place::new().await;
    for kind in ["image/jpeg", "multipart/form-data; boundary=b"] {
        let head = format!(
            "POST /v1/suggest HTTP/1.1\r\nHost: x\r\nContent-Type: {kind}\r\nContent-Length: 99999999999\r\n\r\n"
        );
        let answer = place.raw(head.as_bytes()).await;
        assert!(answer.starts_with("HTTP/1.1 413 ") && answer.contains("\"too_many_bytes\""), "{answer}");
    }
}

#[tokio::test]
async fn a_whole_request_has_a_bound_even_if_it_does_not_say_its_length() {
    let place = Place::with(Options { max_request_bytes: 100 * 1024, ..Options::default() }).await;
    let photo = vec![0xff; 60 * 1024];
    let body = crate::place::form(&[Part::Photo("a", &photo), Part::Photo("b", &photo)]);
    let mut request =
        b"POST /v1/suggest HTTP/1.1\r\nHost: x\r\nContent-Type: multipart/form-data; boundary=X-BOUNDARY\r\n\
        Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n"
            .to_vec();
    request.extend(format!("{:x}\r\n", body.len()).bytes());
    request.extend(body);
    request.extend(b"\r\n0\r\n\r\n");
    let answer = place.raw(&request).await;
    assert!(answer.starts_with("HTTP/1.1 413 ") && answer.contains("\"too_many_bytes\""), "{answer}");
}

#[tokio::test]
async fn a_connection_beyond_the_bound_waits_for_one_that_ends() {
    let place = Place::with(Options { max_connections: 1, head_timeout: FOREVER, ..Options::default() }).await;
    let mut first = TcpStream::connect(place.address).await.unwrap();
    first.write_all(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    let mut answer = [0; 15];
    first.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer, b"HTTP/1.1 200 OK");
    let second = tokio::spawn(place.client.get(place.url("/healthz")).send());
    tokio::time::sleep(SHORT).await;
    assert!(!second.is_finished());
    drop(first);
    assert_eq!(second.await.unwrap().unwrap().status(), 200);
}

#[tokio::test]
async fn a_panic_ends_one_request() {
    let place = Place::new().await;
    place.api.set(Mood::Panics);
    let response = place.post("/v1/suggest", PHOTO).await;
    let id = response.headers()["x-request-id"].to_str().unwrap().to_owned();
    let text = response.text().await.unwrap();
    assert!(text.contains("\"internal\"") && text.contains(&id), "{text}");
    assert_eq!(place.health.n_panics(), 1);
    place.api.set(Mood::Well);
    assert_eq!(place.post("/v1/suggest", PHOTO).await.status(), 200);
}

#[tokio::test]
async fn stopping_lets_what_was_begun_end() {
    let place = Place::new().await;
    place.api.set(Mood::Sleeps(SHORT));
    let request = place.client.post(place.url("/v1/suggest")).header("content-type", "image/jpeg").body(PHOTO);
    let begun = tokio::spawn(request.send());
    while place.api.state.lock().unwrap().asked.is_empty() {
        tokio::task::yield_now().await;
    }
    place.stop.send(true).unwrap();
    assert_eq!(begun.await.unwrap().unwrap().status(), 200);
    place.running.await.unwrap().unwrap();
    assert!(TcpStream::connect(place.address).await.is_err());
}

#[tokio::test]
async fn stopping_does_not_wait_for_ever() {
    let place = Place::with(Options { drain: SHORT, answer_timeout: FOREVER, ..Options::default() }).await;
    place.api.set(Mood::Sleeps(FOREVER));
    let request = place.client.post(place.url("/v1/suggest")).header("content-type", "image/jpeg").body(PHOTO);
    let begun = tokio::spawn(request.send());
    while place.api.state.lock().unwrap().asked.is_empty() {
        tokio::task::yield_now().await;
    }
    place.stop.send(true).unwrap();
    place.running.await.unwrap().unwrap();
    assert!(begun.await.unwrap().is_err());
}

#[tokio::test]
async fn a_server_that_others_can_reach_needs_a_key() {
    use std::sync::Arc;

    use image2song_contract::{health::Health, place::Platform};
    use image2song_web::server::serve;

    let listener = TcpListener::bind("0.0.0.0:0").await.unwrap();
    let (_stop, stopping) = tokio::sync::watch::channel(false);
    let api = Arc::new(crate::core::FakeApi::default());
    let ended = serve(listener, api, Health::new(Platform::Web), Options::default(), stopping).await;
    let message = ended.unwrap_err().to_string();
    assert!(message.contains("API key"), "{message}");
}
