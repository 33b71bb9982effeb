//! The gateway: one websocket connection at a time each, from Hello to its end.

use std::io::Write;
use std::sync::Arc;
use std::time::{Duration, Instant};

use flate2::Compression;
use flate2::write::ZlibEncoder;
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;

use super::TOKEN;
use super::record::Act;
use super::session::{Frame, MESSAGE_CONTENT, REQUIRED, Session};
use super::world::{Shared, World};

/// Largest payload a client may send, in bytes.
const MAX_PAYLOAD: usize = 4096;
/// Payloads a client may send in a minute.
const MAX_PER_MINUTE: usize = 120;

/// Takes connections for ever.
pub async fn serve(listener: TcpListener, shared: Arc<Shared>) {
    while let Ok((stream, _)) = listener.accept().await {
        if shared.look(|world| world.gateway.is_down) {
            continue;
        }
        let shared = shared.clone();
        tokio::spawn(async move {
            if let Ok(socket) = tokio_tungstenite::accept_async(stream).await {
                let code = Connection::new(&shared).run(socket).await;
                shared.change(|world| world.note(Act::Closed { code }));
            }
        });
    }
}

/// A connection and what it has reached.
struct Connection<'a> {
    shared: &'a Shared,
    outlet: UnboundedSender<Frame>,
    frames: Option<UnboundedReceiver<Frame>>,
    session: Option<String>,
    is_compressed: bool,
    is_dismissed: bool,
    heard: Vec<Instant>,
    last_heartbeat: Instant,
    heartbeat: Duration,
}

impl<'a> Connection<'a> {
    fn new(shared: &'a Shared) -> Connection<'a> {
        let (outlet, frames) = unbounded_channel();
        let heartbeat = shared.look(|world| world.options.heartbeat);
        let last_heartbeat = Instant::now();
        let (heard, session) = (Vec::new(), None);
        Connection {
            shared,
            outlet,
            frames: Some(frames),
            session,
            is_compressed: false,
            is_dismissed: false,
            heard,
            last_heartbeat,
            heartbeat,
        }
    }

    /// Runs until one side ends it; the code with which the client did.
    async fn run(mut self, mut socket: WebSocketStream<TcpStream>) -> Option<u16> {
        let mut frames = self.frames.take().expect("a connection runs once");
        if !self.shared.look(|world| world.gateway.is_mute) {
            self.send(json!({ "op": 10, "s": null, "t": null, "d": { "heartbeat_interval": self.heartbeat.as_millis() as u64 } }));
        }
        let mut clock = tokio::time::interval(self.heartbeat / 2);
        loop {
            tokio::select! {
                frame = frames.recv() => match frame.expect("the connection holds the sender itself") {
                    Frame::Json(payload) => {
                        // Who is told to reconnect has no heartbeats to send any more.
                        self.is_dismissed |= matches!(payload["op"].as_u64(), Some(7 | 9));
                        socket.send(self.encode(&payload)).await.ok()?;
                    }
                    Frame::Cut => return None,
                    Frame::Close(code) => {
                        let reason = "".into();
                        let close = code.map(|code| CloseFrame { code: code.into(), reason });
                        socket.close(close).await.ok()?;
                    }
                },
                message = socket.next() => match message?.ok()? {
                    Message::Close(frame) => return frame.map(|frame| frame.code.into()),
                    Message::Text(text) => self.hear(&text),
                    Message::Binary(_) => self.send_close(4002),
                    _ => {}
                },
                _ = clock.tick() => self.check_heartbeat(),
            }
        }
    }

    fn send(&self, payload: Value) {
        self.outlet.send(Frame::Json(payload)).expect("the connection's own receiver is alive");
    }

    fn send_close(&self, code: u16) {
        self.outlet.send(Frame::Close(Some(code))).expect("the connection's own receiver is alive");
    }

    fn encode(&self, payload: &Value) -> Message {
        let text = payload.to_string();
        if !self.is_compressed {
            return Message::Text(text);
        }
        let mut encoder = ZlibEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(text.as_bytes()).expect("memory takes all bytes");
        Message::Binary(encoder.finish().expect("memory takes all bytes"))
    }

    /// A client that is silent for too long is thrown out.
    fn check_heartbeat(&mut self) {
        // Resumed connections do not begin their own count, and the machine may be busy: three intervals are silence.
        if self.session.is_some()
            && !self.is_dismissed
            && self.last_heartbeat.elapsed() > self.heartbeat * 3 + Duration::from_secs(1)
        {
            self.last_heartbeat = Instant::now();
            self.shared.change(|world| world.violations.push("no heartbeat for three intervals".to_owned()));
            self.send_close(4009);
        }
    }

    fn hear(&mut self, text: &str) {
        let now = Instant::now();
        self.heard.retain(|at| now.duration_since(*at) < Duration::from_secs(60));
        self.heard.push(now);
        if self.heard.len() > MAX_PER_MINUTE {
            self.shared.change(|world| world.violations.push("more than 120 payloads in a minute".to_owned()));
            return self.send_close(4008);
        }
        let payload: Value = match serde_json::from_str(text) {
            Ok(payload) if text.len() <= MAX_PAYLOAD => payload,
            _ => return self.send_close(4002),
        };
        let data = &payload["d"];
        match payload["op"].as_u64() {
            Some(1) => self.beat(data),
            Some(2) => self.identify(data),
            Some(6) => self.resume(data),
            // Presence, voice and member requests are of no concern here.
            Some(3 | 4 | 8 | 31) if self.session.is_some() => {}
            Some(3 | 4 | 8 | 31) => self.send_close(4003),
            _ => self.send_close(4001),
        }
    }

    fn beat(&mut self, data: &Value) {
        self.last_heartbeat = Instant::now();
        if !(data.is_null() || data.is_u64()) {
            return self.send_close(4002);
        }
        if !self.shared.look(|world| world.gateway.ignores_heartbeats) {
            self.send(json!({ "op": 11 }));
        }
    }

    fn identify(&mut self, data: &Value) {
        if self.session.is_some() {
            return self.send_close(4005);
        }
        let outlet = self.outlet.clone();
        match self.shared.change(|world| begin_session(world, data, outlet)) {
            Ok(session) => {
                self.last_heartbeat = Instant::now();
                self.session = Some(session);
                self.is_compressed =
                    data["compress"].as_bool() == Some(true) && self.shared.look(|world| world.options.compresses);
            }
            Err(Refused::Close(code)) => self.send_close(code),
            Err(Refused::TooSoon) => self.send(json!({ "op": 9, "s": null, "t": null, "d": false })),
        }
    }

    fn resume(&mut self, data: &Value) {
        if self.session.is_some() {
            return self.send_close(4005);
        }
        if !is_token(&data["token"]) {
            return self.send_close(4004);
        }
        let (id, seq) = (data["session_id"].as_str().unwrap_or_default(), data["seq"].as_u64());
        let outlet = self.outlet.clone();
        let result = self.shared.change(|world| {
            let session = world.sessions.get_mut(id).ok_or(None)?;
            let seq = seq.filter(|seq| *seq as usize <= session.log.len()).ok_or(Some(4007))?;
            for payload in &session.log[seq as usize..] {
                let _ = outlet.send(Frame::Json(payload.clone()));
            }
            session.outlet = Some(outlet);
            session.dispatch("RESUMED", json!({}));
            world.note(Act::Resumed { seq });
            Ok(())
        });
        match result {
            Ok(()) => {
                self.last_heartbeat = Instant::now();
                self.session = Some(id.to_owned());
            }
            Err(Some(code)) => self.send_close(code),
            Err(None) => self.send(json!({ "op": 9, "s": null, "t": null, "d": false })),
        }
    }
}

impl Drop for Connection<'_> {
    /// The session outlives its connection, but nobody listens any more.
    fn drop(&mut self) {
        let (id, own) = (self.session.take(), &self.outlet);
        self.shared.change(|world| {
            let session = id.and_then(|id| world.sessions.get_mut(&id));
            if let Some(session) = session
                && session.outlet.as_ref().is_some_and(|outlet| outlet.same_channel(own))
            {
                session.outlet = None;
            }
        });
    }
}

/// Why a session does not begin.
enum Refused {
    Close(u16),
    TooSoon,
}

fn begin_session(world: &mut World, data: &Value, outlet: UnboundedSender<Frame>) -> Result<String, Refused> {
    if !is_token(&data["token"]) {
        return Err(Refused::Close(4004));
    }
    if let Some(code) = world.gateway.identify_code {
        return Err(Refused::Close(code));
    }
    let Some(intents) = data["intents"].as_u64().filter(|_| data["properties"].is_object()) else {
        return Err(Refused::Close(4013));
    };
    if intents & MESSAGE_CONTENT != 0 && !world.options.has_message_content {
        return Err(Refused::Close(4014));
    }
    let spacing = world.options.identify_spacing;
    if world.last_identify.replace(Instant::now()).is_some_and(|last| last.elapsed() < spacing) {
        world.note(Act::IdentifiedTooSoon);
        return Err(Refused::TooSoon);
    }
    if intents & REQUIRED != REQUIRED {
        world.violations.push(format!("IDENTIFY asks for the intents {intents} only"));
    }
    // A fresh session of the same shard ends those that nobody listens to: their events are lost.
    world.sessions.retain(|_, session| session.outlet.is_some());
    let id = format!("{:032x}", world.ids.next_id());
    let (own, of) = (data["shard"][0].as_u64().unwrap_or(0), data["shard"][1].as_u64().unwrap_or(1));
    if own >= of {
        return Err(Refused::Close(4010));
    }
    let mut session = Session { intents, shard: (own, of), log: Vec::new(), outlet: Some(outlet) };
    session.dispatch("READY", world.ready_json(&id, data["shard"].clone()));
    world.sessions.insert(id.clone(), session);
    world.note(Act::Identified { intents });
    Ok(id)
}

fn is_token(token: &Value) -> bool {
    token.as_str().is_some_and(|token| token.strip_prefix("Bot ").unwrap_or(token) == TOKEN)
}
