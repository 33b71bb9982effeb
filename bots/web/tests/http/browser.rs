//! The page in headless Chromium; skipped, and said so, where there is none.
//!
//! With `IMAGE2SONG_SCREENSHOTS=DIR` the pictures that a person would see are left there.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::json;

use crate::chromium::Browser;
use crate::place::Place;

fn photo() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/beach_sunset.jpg").canonicalize().unwrap()
}

/// Runs a script of a person's steps against a server.
async fn browse(place: Place, steps: impl FnOnce(&mut Browser, &Place) + Send + 'static) {
    let steps = move || {
        if let Some(mut browser) = Browser::start() {
            steps(&mut browser, &place);
            assert!(browser.faults.is_empty(), "{:#?}", browser.faults);
        }
    };
    tokio::task::spawn_blocking(steps).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_person_drops_a_photo_and_sees_songs_regions_and_words() {
    browse(Place::new().await, |browser, place| {
        for (name, width, height, scheme) in
            [("phone", 390, 844, "light"), ("phone-dark", 390, 844, "dark"), ("desktop", 1280, 900, "light"), ("desktop-dark", 1280, 900, "dark")]
        {
            browser.screen(width, height, scheme);
            browser.open(&place.url("/"));
            browser.look(&format!("{name}-empty"));
            browser.choose(&photo());
            browser.wait_for("document.querySelectorAll('.songs > li').length === 5");
            browser.wait_for("document.getElementById('shown').naturalWidth > 0");
            let seen = browser.value(
                "({frames: document.querySelectorAll('.frame rect').length, url: document.getElementById('shown').src.slice(0, 5), \
                  focus: document.activeElement.id, wait: document.getElementById('wait').hidden, \
                  fits: document.querySelector('.frame svg').clientWidth === document.getElementById('shown').clientWidth, \
                  links: document.querySelectorAll('.links a').length, words: document.querySelector('.why').textContent})",
            );
            assert_eq!((&seen["frames"], &seen["url"], &seen["links"]), (&3.into(), &"blob:".into(), &20.into()), "{seen}");
            assert_eq!((&seen["focus"], &seen["wait"], &seen["fits"]), (&"answer".into(), &true.into(), &true.into()), "{seen}");
            assert!(seen["words"].as_str().unwrap().contains("surf, ocean"), "{seen}");
            browser.look(name);
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_page_works_without_scripts() {
    browse(Place::new().await, |browser, place| {
        browser.call("Emulation.setScriptExecutionDisabled", json!({"value": true}));
        browser.screen(390, 844, "light");
        browser.open(&place.url("/"));
        browser.choose(&photo());
        browser.value("document.querySelector('button').click()");
        browser.wait_for("document.querySelectorAll('.songs > li').length === 5");
        browser.wait_for("document.querySelector('.frame img').naturalWidth > 0");
        assert_eq!(browser.value("document.querySelector('.frame img').src.slice(0, 23)"), "data:image/jpeg;base64,");
        browser.look("phone-no-script");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn titles_cannot_run_scripts_and_faults_are_told() {
    let place = Place::new().await;
    let hostile = "<img src=x onerror=alert(1)><script>alert(2)</script>";
    let answer = include_str!("answer.json").replace("Surfin' U.S.A.", hostile).replace('\n', "");
    place.api.state.lock().unwrap().answer = answer;
    browse(place, move |browser, place| {
        browser.screen(390, 844, "dark");
        browser.open(&place.url("/"));
        browser.choose(&photo());
        browser.wait_for("document.querySelectorAll('.songs > li').length === 5");
        assert_eq!(browser.value("document.querySelector('.songs h3').textContent"), hostile);
        assert_eq!(browser.value("document.querySelectorAll('.songs img, .songs script').length"), 0);
        let large = tempfile::NamedTempFile::with_suffix(".jpg").unwrap();
        fs::write(large.path(), vec![0xff; crate::core::MAX_BYTES as usize + 1]).unwrap();
        browser.choose(large.path());
        browser.wait_for("!!document.querySelector('.fault')");
        browser.look("phone-fault");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_key_goes_with_the_form() {
    browse(Place::with_key("sesame").await, |browser, place| {
        browser.screen(390, 844, "light");
        browser.open(&place.url("/"));
        browser.value("document.getElementById('key').value = 'sesame'");
        browser.choose(&photo());
        browser.wait_for("document.querySelectorAll('.songs > li').length === 5");
        browser.look("phone-key");
    })
    .await;
}
