//! A server on loopback for one test, and ways to ask it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use image2song_contract::health::Health;
use image2song_contract::place::Platform;
use image2song_web::options::Options;
use image2song_web::server::serve;
use reqwest::Response;
use secrecy::SecretString;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::core::FakeApi;

/// A running server.
pub struct Place {
    pub address: SocketAddr,
    pub api: Arc<FakeApi>,
    pub health: Arc<Health>,
    pub client: reqwest::Client,
    pub stop: watch::Sender<bool>,
    pub running: JoinHandle<std::io::Result<()>>,
}

/// A JPEG's first bytes: enough for a core that does not look.
pub const PHOTO: &[u8] = b"\xff\xd8\xff\xe0 a photo";
pub const BOUNDARY: &str = "X-BOUNDARY";

impl Place {
    pub async fn new() -> Self {
        Self::with(Options::default()).await
    }

    pub async fn with_key(key: &str) -> Self {
        Self::with(Options { key: Some(SecretString::from(key)), ..Options::default() }).await
    }

    pub async fn with(options: Options) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopping) = watch::channel(false);
        let (api, health) = (Arc::new(FakeApi::default()), Health::new(Platform::Web));
        let running = tokio::spawn(serve(listener, api.clone(), health.clone(), options, stopping));
        let client = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .timeout(Duration::from_secs(30))
            .build()
            .unwrap();
        Self { address, api, health, client, stop, running }
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub async fn get(&self, path: &str) -> Response {
        self.client.get(self.url(path)).send().await.unwrap()
    }

    /// Posts a photo as the body.
    pub async fn post(&self, path: &str, photo: &'static [u8]) -> Response {
        let request = self.client.post(self.url(path)).header("content-type", "image/jpeg").body(photo);
        request.send().await.unwrap()
    }

    /// Posts a form.
    pub async fn form(&self, path: &str, parts: &[Part<'_>]) -> Response {
        self.form_with(path, parts, &[]).await
    }

    pub async fn form_with(&self, path: &str, parts: &[Part<'_>], headers: &[(&str, &str)]) -> Response {
        let kind = format!("multipart/form-data; boundary={BOUNDARY}");
        let mut request = self.client.post(self.url(path)).header("content-type", kind).body(form(parts));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.send().await.unwrap()
    }

    /// Writes bytes as they are and reads what comes back until the server hangs up.
    pub async fn raw(&self, bytes: &[u8]) -> String {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        stream.write_all(bytes).await.unwrap();
        let mut answer = Vec::new();
        let reading = tokio::time::timeout(Duration::from_secs(20), stream.read_to_end(&mut answer)).await;
        reading.expect("the server hangs up").ok();
        String::from_utf8_lossy(&answer).into_owned()
    }
}

/// A part of a form.
pub enum Part<'a> {
    Field(&'a str, &'a str),
    Photo(&'a str, &'a [u8]),
}

pub fn form(parts: &[Part<'_>]) -> Vec<u8> {
    let mut body = Vec::new();
    for part in parts {
        body.extend(format!("--{BOUNDARY}\r\n").bytes());
        match part {
            Part::Field(name, value) => {
                body.extend(format!("Content-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}").bytes());
            }
            Part::Photo(file, bytes) => {
                let head = format!("Content-Disposition: form-data; name=\"photo\"; filename=\"{file}\"\r\n");
                body.extend(head.bytes());
                body.extend(b"Content-Type: image/jpeg\r\n\r\n");
                body.extend(*bytes);
            }
        }
        body.extend(b"\r\n");
    }
    body.extend(format!("--{BOUNDARY}--\r\n").bytes());
    body
}

/// `kind` of a failed answer, after its form was checked.
pub async fn kind_of(response: Response) -> (u16, String) {
    let status = response.status().as_u16();
    assert_eq!(response.headers()["content-type"], "application/json");
    let text = response.text().await.unwrap();
    let json: serde_json::Value = serde_json::from_str(&text).unwrap();
    let error = &json["error"];
    assert!(error["message"].as_str().is_some_and(|message| !message.is_empty()), "{text}");
    (status, error["kind"].as_str().unwrap().to_owned())
}
