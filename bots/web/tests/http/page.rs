//! The page without a browser: a plain form post, languages, keys, and what must never become markup.

use data_encoding::BASE64;
use sha2::{Digest, Sha256};

use crate::core::Mood;
use crate::place::{PHOTO, Part, Place};

fn between<'a>(text: &'a str, start: &str, end: &str) -> &'a str {
    text.split_once(start).unwrap().1.split_once(end).unwrap().0
}

#[tokio::test]
async fn the_page_brings_its_own_style_and_script_and_the_policy_allows_just_these() {
    let place = Place::new().await;
    let response = place.get("/").await;
    assert_eq!(response.headers()["content-type"], "text/html; charset=utf-8");
    let policy = response.headers()["content-security-policy"].to_str().unwrap().to_owned();
    let html = response.text().await.unwrap();
    for (kind, text) in
        [("style-src", between(&html, "<style>", "</style>")), ("script-src", between(&html, "<script>", "</script>"))]
    {
        let hash = BASE64.encode(&Sha256::digest(text.as_bytes()));
        assert!(policy.contains(&format!("{kind} 'sha256-{hash}'")), "{kind} in {policy}");
    }
    assert!(!html.contains("{{"), "a place in the template was not filled");
    for outside in ["src=\"http", "href=\"http", "url(", "@import", " style=", " onclick", "//cdn"] {
        assert!(!html.contains(outside), "{outside}");
    }
    for named in ["photo", "hint", "language", "n", "clean"] {
        assert!(html.contains(&format!("for=\"{named}\"")) && html.contains(&format!("id=\"{named}\"")), "{named}");
    }
    assert!(!html.contains("name=\"key\""));
}

#[tokio::test]
async fn the_page_speaks_the_language_of_the_browser() {
    let place = Place::new().await;
    for (wanted, code) in
        [("de-AT,en;q=0.5", "de"), ("tlh, ja;q=0.8", "ja"), ("*", "en"), ("", "en"), ("zh-Hant-TW", "zh")]
    {
        let request = place.client.get(place.url("/")).header("accept-language", wanted);
        let html = request.send().await.unwrap().text().await.unwrap();
        assert!(html.contains(&format!("<html lang=\"{code}\">")), "{wanted}");
        assert!(!html.contains("web-"), "a sentence is missing in {code}");
    }
}

#[tokio::test]
async fn a_plain_form_gets_a_whole_page_with_songs_and_the_photo() {
    let place = Place::new().await;
    let fields = [
        Part::Photo("a.jpg", PHOTO),
        Part::Field("hint", "\"><script>x</script>"),
        Part::Field("language", "fr"),
        Part::Field("n", "10"),
        Part::Field("clean", "true"),
        Part::Field("key", "not needed"),
    ];
    let response = place.form("/", &fields).await;
    assert_eq!(response.status(), 200);
    let html = response.text().await.unwrap();
    assert!(html.starts_with("<!doctype html>") && html.contains("Surfin&#39; U.S.A."));
    assert!(html.contains(&format!("src=\"data:image/jpeg;base64,{}\"", BASE64.encode(PHOTO))));
    assert!(html.contains("value=\"&quot;&gt;&lt;script&gt;x&lt;/script&gt;\""), "what was asked stands in the form");
    assert!(html.contains("<option value=\"fr\" selected>") && html.contains("value=\"true\" checked"));
    assert_eq!(html.matches("<script>").count(), 1);
    let asked = place.api.state.lock().unwrap().asked.pop().unwrap();
    assert_eq!((asked.3.n, asked.3.is_clean, asked.3.languages), (Some(10), true, vec!["fr".to_owned()]));
}

#[tokio::test]
async fn the_script_gets_the_answer_alone_without_the_photo() {
    let place = Place::new().await;
    let response = place.form_with("/", &[Part::Photo("a.jpg", PHOTO)], &[("x-part", "1")]).await;
    let html = response.text().await.unwrap();
    assert!(html.starts_with("<section id=\"answer\"") && html.contains("<img id=\"shown\""), "{html}");
    assert!(!html.contains("base64"));
}

#[tokio::test]
async fn faults_are_sentences_on_the_page_with_their_status() {
    let place = Place::new().await;
    for (mood, status, words) in [
        (Mood::Refuses("corrupt"), 422, "arrived incomplete"),
        (Mood::Refuses("unsupported_format"), 415, "no photo I can open"),
        (Mood::Refuses("<b>"), 400, "it is &lt;&lt;b&gt;&gt;"),
        (Mood::Busy(4), 503, "in 4 seconds"),
        (Mood::Broken, 500, "e-42"),
    ] {
        place.api.set(mood);
        let response = place.form("/", &[Part::Photo("a.jpg", PHOTO)]).await;
        assert_eq!(response.status(), status);
        let html = response.text().await.unwrap();
        assert!(html.contains("role=\"alert\"") && html.contains(words), "{words} in {html}");
    }
    let none = place.form("/", &[Part::Photo("", b"")]).await;
    assert_eq!(none.status(), 400);
    assert!(none.text().await.unwrap().contains("Choose a photo first"));
    place.api.set(Mood::Well);
    place.api.state.lock().unwrap().answer = "{\"sure\":1}".into();
    assert_eq!(place.form("/", &[Part::Photo("a.jpg", PHOTO)]).await.status(), 500);
}

#[tokio::test]
async fn the_page_takes_the_key_before_the_photo() {
    let place = Place::with_key("sesame").await;
    let html = place.get("/").await.text().await.unwrap();
    assert!(html.find("name=\"key\"").unwrap() < html.find("name=\"photo\"").unwrap());
    let (key, photo) = (|| Part::Field("key", "sesame"), || Part::Photo("a.jpg", PHOTO));
    assert_eq!(place.form("/", &[key(), photo()]).await.status(), 200);
    assert_eq!(place.form_with("/", &[photo()], &[("authorization", "Bearer sesame")]).await.status(), 200);
    for parts in [vec![photo(), key()], vec![photo()], vec![Part::Field("key", "sesam"), photo()], vec![]] {
        let response = place.form("/", &parts).await;
        assert_eq!(response.status(), 401);
        let html = response.text().await.unwrap();
        assert!(html.contains("right API key") && !html.contains("sesam\""), "{html}");
    }
    let bare = place.post("/", PHOTO).await;
    assert_eq!(bare.status(), 401);
    assert_eq!(place.api.state.lock().unwrap().asked.len(), 2);
}
