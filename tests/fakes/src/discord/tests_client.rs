//! A plain client for the fake's own tests: HTTP by hand, websocket by tungstenite.

use std::io::Read;

use flate2::read::ZlibDecoder;
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;

use super::session::REQUIRED;
use super::{Discord, TOKEN};

/// Status, head and body of an answer.
pub struct Reply {
    pub status: u16,
    pub head: String,
    pub body: Vec<u8>,
}

impl Reply {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        let lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines.filter(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value).next()
    }
}

/// One request over a connection of its own.
pub async fn send(host: &str, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Reply {
    let mut stream = TcpStream::connect(host).await.unwrap();
    let mut head =
        format!("{method} {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\ncontent-length: {}\r\n", body.len());
    headers.iter().for_each(|(key, value)| head += &format!("{key}: {value}\r\n"));
    stream.write_all(format!("{head}\r\n").as_bytes()).await.unwrap();
    stream.write_all(body).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    let end = answer.windows(4).position(|window| window == b"\r\n\r\n").unwrap();
    let head = String::from_utf8(answer[..end].to_vec()).unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    Reply { status, head, body: answer[end + 4..].to_vec() }
}

impl Discord {
    /// A request to REST as the bot would make it.
    pub async fn call(&self, method: &str, path: &str, body: Value) -> Reply {
        let token = format!("Bot {TOKEN}");
        let headers = [
            ("authorization", token.as_str()),
            ("user-agent", "DiscordBot (test, 1)"),
            ("content-type", "application/json"),
        ];
        let host = self.api_url().replace("http://", "");
        send(&host, method, &format!("/api/v10{path}"), &headers, body.to_string().as_bytes()).await
    }

    /// A connection before its Hello.
    pub async fn connect(&self) -> Socket {
        let url = self.shared.look(|world| world.urls.gateway.clone());
        let stream = TcpStream::connect(url.replace("ws://", "")).await.unwrap();
        let (socket, _) = tokio_tungstenite::client_async(format!("{url}/?v=10"), stream).await.unwrap();
        Socket(socket)
    }

    /// A connection with a session.
    pub async fn ready(&self) -> (Socket, Value) {
        self.ready_with(REQUIRED).await
    }

    /// A connection with a session of these intents.
    pub async fn ready_with(&self, intents: u64) -> (Socket, Value) {
        let mut socket = self.connect().await;
        assert_eq!(socket.next().await["op"], 10);
        socket.send(identify(intents)).await;
        let ready = socket.next().await;
        assert_eq!((&ready["t"], &ready["s"]), (&json!("READY"), &json!(1)));
        (socket, ready["d"].clone())
    }
}

pub fn identify(intents: u64) -> Value {
    json!({ "op": 2, "d": {
        "token": format!("Bot {TOKEN}"), "intents": intents, "compress": true, "shard": [0, 1],
        "properties": { "os": "linux", "browser": "test", "device": "test" }
    }})
}

/// A client's end of the gateway.
pub struct Socket(WebSocketStream<TcpStream>);

impl Socket {
    pub async fn send(&mut self, payload: Value) {
        self.0.send(Message::Text(payload.to_string())).await.unwrap();
    }

    /// The next payload; `{"close": code}` at the end, null when the connection broke.
    pub async fn next(&mut self) -> Value {
        match self.0.next().await {
            Some(Ok(Message::Text(text))) => serde_json::from_str(&text).unwrap(),
            Some(Ok(Message::Binary(bytes))) => {
                let mut text = String::new();
                ZlibDecoder::new(bytes.as_slice()).read_to_string(&mut text).unwrap();
                serde_json::from_str(&text).unwrap()
            }
            Some(Ok(Message::Close(frame))) => json!({ "close": frame.map(|frame| u16::from(frame.code)) }),
            _ => Value::Null,
        }
    }

    /// The next event's name and data; other payloads are passed over.
    pub async fn event(&mut self) -> (String, Value) {
        loop {
            let payload = self.next().await;
            assert!(payload.is_object() && payload.get("close").is_none(), "the connection ended: {payload}");
            if payload["op"] == 0 {
                return (payload["t"].as_str().unwrap().to_owned(), payload["d"].clone());
            }
        }
    }
}
