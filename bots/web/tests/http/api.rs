//! `/v1`: what goes in, what comes out, and each status.

use image2song_contract::api::ApiOptions;

use crate::core::{MAX_BYTES, Mood};
use crate::place::{PHOTO, Part, Place, kind_of};

#[tokio::test]
async fn a_bare_photo_is_answered_with_the_json_of_the_core() {
    let place = Place::new().await;
    let path = "/v1/suggest?n=7&hint=rainy%20night&language=en,fr&language=ja&clean=true&name=..%2Fbeach.jpg";
    let response = place.post(path, PHOTO).await;
    assert_eq!(
        (response.status().as_u16(), &response.headers()["content-type"]),
        (200, &"application/json".parse().unwrap())
    );
    let text = response.text().await.unwrap();
    assert!(
        text.starts_with("{\"photo\":\"beach.jpg\"") && text.ends_with("}\n") && text.lines().count() == 1,
        "{text}"
    );
    let state = place.api.state.lock().unwrap();
    let languages = ["en", "fr", "ja"].map(str::to_owned).into();
    let options = ApiOptions { n: Some(7), hint: "rainy night".into(), languages, is_clean: true };
    assert_eq!(state.asked, [("suggest", "beach.jpg".to_owned(), PHOTO.into(), options)]);
}

#[tokio::test]
async fn several_photos_of_a_form_are_answered_a_line_each_and_one_may_fail() {
    let place = Place::new().await;
    let parts = [
        Part::Photo("a.jpg", PHOTO),
        Part::Photo("b\".jpg", b"broken"),
        Part::Photo("", PHOTO),
        Part::Field("top", "3"),
    ];
    let response = place.form("/v1/suggest?hint=sea", &parts).await;
    assert_eq!(response.status(), 200);
    assert_eq!(response.headers()["content-type"], "application/x-ndjson");
    let text = response.text().await.unwrap();
    let lines: Vec<serde_json::Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 3);
    assert_eq!((&lines[0]["photo"], &lines[2]["photo"]), (&"a.jpg".into(), &"photo 3".into()));
    assert_eq!(lines[1]["error"]["kind"], "corrupt");
    let state = place.api.state.lock().unwrap();
    let options = ApiOptions { n: Some(3), hint: "sea".into(), ..ApiOptions::default() };
    assert!(state.asked.iter().all(|(_, _, _, own)| *own == options), "options after the photos count, too");
}

#[tokio::test]
async fn tags_take_a_number_only() {
    let place = Place::new().await;
    assert_eq!(place.post("/v1/tags?n=3", PHOTO).await.status(), 200);
    assert_eq!(place.api.state.lock().unwrap().asked[0].0, "tags");
    assert_eq!(kind_of(place.post("/v1/tags?hint=x", PHOTO).await).await, (400, "bad_option".into()));
}

#[tokio::test]
async fn songs_are_searched() {
    let place = Place::new().await;
    assert_eq!(place.get("/v1/songs?q=%E6%B5%9C%E8%BE%BA&n=2").await.status(), 200);
    let asked = place.api.state.lock().unwrap().asked.pop().unwrap();
    assert_eq!((asked.0, asked.1.as_str(), asked.3.n), ("songs", "浜辺", Some(2)));
    for path in [
        "/v1/songs",
        "/v1/songs?q=",
        "/v1/songs?q=%20",
        "/v1/songs?q=a&n=0",
        "/v1/songs?q=a&x=1",
        "/v1/songs?q=%ff%fe&n=x",
    ] {
        assert_eq!(kind_of(place.get(path).await).await, (400, "bad_option".into()), "{path}");
    }
}

#[tokio::test]
async fn each_fault_has_its_status() {
    let place = Place::new().await;
    for (mood, status, kind) in [
        (Mood::Refuses("too_many_pixels"), 413, "too_many_pixels"),
        (Mood::Refuses("unsupported_format"), 415, "unsupported_format"),
        (Mood::Refuses("truncated"), 422, "truncated"),
        (Mood::Refuses("unknown_language"), 400, "unknown_language"),
        (Mood::Broken, 500, "internal"),
        (Mood::Busy(7), 503, "busy"),
    ] {
        place.api.set(mood);
        let response = place.post("/v1/suggest", PHOTO).await;
        let retry = response.headers().get("retry-after").map(|value| value.to_str().unwrap().to_owned());
        assert_eq!(retry.as_deref(), (kind == "busy").then_some("7"));
        assert_eq!(kind_of(response).await, (status, kind.into()));
    }
    place.api.set(Mood::Broken);
    let text = place.post("/v1/tags?name=a", PHOTO).await.text().await.unwrap();
    assert!(text.starts_with("{\"photo\":\"a\",\"error\"") && text.contains("e-42"), "{text}");
    let all_fail = place.form("/v1/suggest", &[Part::Photo("a", PHOTO), Part::Photo("b", PHOTO)]).await;
    assert_eq!(all_fail.status(), 500, "if every photo fails, so does the request");
    assert_eq!(all_fail.text().await.unwrap().lines().count(), 2);
}

#[tokio::test]
async fn bodies_that_are_no_photo_are_refused() {
    let place = Place::new().await;
    let send = |kind: Option<&'static str>, body: &'static [u8]| {
        let mut request = place.client.post(place.url("/v1/suggest")).body(body);
        if let Some(kind) = kind {
            request = request.header("content-type", kind);
        }
        async { kind_of(request.send().await.unwrap()).await }
    };
    for kind in [None, Some("application/json"), Some("text/html"), Some("application/x-www-form-urlencoded")] {
        assert_eq!(send(kind, PHOTO).await, (415, "unsupported_content_type".into()), "{kind:?}");
    }
    assert_eq!(send(Some("multipart/form-data"), PHOTO).await, (400, "bad_form".into()));
    assert_eq!(send(Some("multipart/form-data; boundary=x"), b"--x\r\nrubbish").await, (400, "bad_form".into()));
    assert_eq!(kind_of(place.form("/v1/suggest", &[]).await).await, (400, "no_photo".into()));
    let empty = place.form("/v1/suggest", &[Part::Photo("", b"")]).await;
    assert_eq!(kind_of(empty).await, (400, "no_photo".into()));
    let key = place.form("/v1/suggest", &[Part::Field("key", "x"), Part::Photo("a", PHOTO)]).await;
    assert_eq!(kind_of(key).await, (400, "bad_option".into()), "only the page takes a key in its form");
    assert!(place.api.state.lock().unwrap().asked.is_empty());
}

#[tokio::test]
async fn a_photo_that_is_too_large_is_refused_however_it_comes() {
    let place = Place::new().await;
    let large: &'static [u8] = vec![0xff; MAX_BYTES as usize + 1].leak();
    assert_eq!(kind_of(place.post("/v1/suggest", large).await).await, (413, "too_many_bytes".into()));
    let form = place.form("/v1/suggest", &[Part::Photo("a", PHOTO), Part::Photo("b", large)]).await;
    assert_eq!(kind_of(form).await, (413, "too_many_bytes".into()));
    let field = place.form("/v1/suggest", &[Part::Field("hint", &"x".repeat(5000)), Part::Photo("a", PHOTO)]).await;
    assert_eq!(kind_of(field).await, (413, "too_many_bytes".into()));
    let many: Vec<Part<'_>> = (0..9).map(|_| Part::Photo("a", PHOTO)).collect();
    assert_eq!(kind_of(place.form("/v1/suggest", &many).await).await, (413, "too_many_photos".into()));
    assert!(place.api.state.lock().unwrap().asked.is_empty());
    let whole: &'static [u8] = vec![0xff; MAX_BYTES as usize].leak();
    assert_eq!(place.post("/v1/suggest", whole).await.status(), 200);
}

#[tokio::test]
async fn a_key_opens_and_a_wrong_one_does_not() {
    let place = Place::with_key("open sesame").await;
    let ask = |headers: &'static [(&'static str, &'static str)]| {
        let mut request = place.client.post(place.url("/v1/suggest")).header("content-type", "image/png").body(PHOTO);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        async { request.send().await.unwrap() }
    };
    let right: [&[(&str, &str)]; 3] = [
        &[("authorization", "Bearer open sesame")],
        &[("authorization", "bearer open sesame")],
        &[("x-api-key", "open sesame"), ("sec-fetch-site", "cross-site")],
    ];
    for headers in right {
        assert_eq!(ask(headers).await.status(), 200, "{headers:?}");
    }
    let wrong: [&[(&str, &str)]; 6] = [
        &[],
        &[("authorization", "Bearer ")],
        &[("authorization", "Bearer open sesam")],
        &[("authorization", "Basic open sesame")],
        &[("authorization", "open sesame")],
        &[("x-api-key", "Open sesame")],
    ];
    for headers in wrong {
        let response = ask(headers).await;
        assert_eq!(response.headers()["www-authenticate"], "Bearer");
        assert_eq!(kind_of(response).await, (401, "key".into()), "{headers:?}");
    }
    for path in ["/v1/songs?q=a", "/metrics"] {
        assert_eq!(place.get(path).await.status(), 401, "{path}");
    }
    for path in ["/", "/healthz", "/readyz", "/openapi.json"] {
        assert_eq!(place.get(path).await.status(), 200, "{path}");
    }
}

#[tokio::test]
async fn without_a_key_pages_of_other_sites_cannot_ask() {
    let place = Place::new().await;
    for (site, status) in [("cross-site", 403), ("same-site", 403), ("same-origin", 200), ("none", 200)] {
        for path in ["/v1/suggest", "/"] {
            let response = place.form_with(path, &[Part::Photo("a", PHOTO)], &[("sec-fetch-site", site)]).await;
            assert_eq!(response.status(), status, "{site} {path}");
        }
    }
}
