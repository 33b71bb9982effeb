//! `openapi.json` and the router say the same.

use std::collections::BTreeSet;

use image2song_web::routes::PATHS;
use reqwest::Method;
use serde_json::Value;

use crate::core::TOKEN;
use crate::place::Place;

async fn document(place: &Place) -> Value {
    serde_json::from_str(&place.get("/openapi.json").await.text().await.unwrap()).unwrap()
}

#[tokio::test]
async fn every_path_and_method_is_described_and_every_described_one_exists() {
    let place = Place::new().await;
    let document = document(&place).await;
    let described = document["paths"].as_object().unwrap();
    assert_eq!(described.keys().map(String::as_str).collect::<BTreeSet<_>>(), BTreeSet::from(PATHS));
    for path in PATHS {
        for method in ["get", "post", "put", "patch", "delete", "trace"] {
            let verb = Method::from_bytes(method.to_uppercase().as_bytes()).unwrap();
            let url = place.url(&path.replace("{token}", TOKEN));
            let status = place.client.request(verb, url).send().await.unwrap().status().as_u16();
            assert_ne!(status, 404, "{method} {path}");
            assert_eq!(described[path].get(method).is_some(), status != 405, "{method} {path}: {status}");
        }
    }
}

#[tokio::test]
async fn every_reference_leads_somewhere_and_every_operation_has_a_name_of_its_own() {
    let place = Place::new().await;
    let document = document(&place).await;
    let mut references = Vec::new();
    collect(&document, &mut references);
    assert!(references.len() > 20);
    for reference in &references {
        assert!(document.pointer(reference.trim_start_matches('#')).is_some(), "{reference}");
    }
    let parts = document["components"].as_object().unwrap().iter().filter(|(kind, _)| *kind != "securitySchemes");
    for (kind, parts) in parts {
        for name in parts.as_object().unwrap().keys() {
            let reference = format!("#/components/{kind}/{name}");
            assert!(references.contains(&reference), "{reference} is never used");
        }
    }
    let operations: Vec<&Value> =
        document["paths"].as_object().unwrap().values().flat_map(|path| path.as_object().unwrap().values()).collect();
    let names: BTreeSet<&str> = operations.iter().map(|one| one["operationId"].as_str().unwrap()).collect();
    assert_eq!(names.len(), operations.len());
    assert!(operations.iter().all(|one| one["summary"].is_string() && one["responses"].is_object()));
}

#[tokio::test]
async fn described_options_are_taken_and_no_others() {
    let place = Place::new().await;
    let document = document(&place).await;
    for (path, verb) in [("/v1/suggest", "post"), ("/v1/tags", "post"), ("/v1/songs", "get")] {
        let parameters = document["paths"][path][verb]["parameters"].as_array().unwrap().clone();
        let resolve = |one: &Value| match one.get("$ref") {
            Some(reference) => document.pointer(reference.as_str().unwrap().trim_start_matches('#')).unwrap().clone(),
            None => one.clone(),
        };
        let names: Vec<String> =
            parameters.iter().map(|one| resolve(one)["name"].as_str().unwrap().to_owned()).collect();
        for name in ["n", "top", "hint", "language", "clean", "name", "q", "key", "limit"] {
            let value = match name {
                "n" | "top" => "3",
                "language" => "en",
                "clean" => "true",
                _ => "x",
            };
            let needed = if verb == "get" && name != "q" { "&q=x" } else { "" };
            let url = format!("{path}?{name}={value}{needed}");
            let response = match verb {
                "get" => place.get(&url).await,
                _ => place.post(&url, b"\xff\xd8\xff").await,
            };
            assert_eq!(response.status() == 200, names.iter().any(|known| known == name), "{url}");
        }
    }
}

fn collect(value: &Value, references: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            for (name, inner) in fields {
                match inner.as_str() {
                    Some(reference) if name == "$ref" => references.push(reference.to_owned()),
                    _ => collect(inner, references),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| collect(item, references)),
        _ => {}
    }
}
