//! A client of HTTP/1.1 that asks once and hangs up.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// An answer.
pub struct Reply {
    pub status: u16,
    pub body: Vec<u8>,
}

/// Asks for a path; `None` if nobody answers.
pub async fn get(address: &str, path: &str) -> Option<Reply> {
    ask(address, &format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n"), b"").await
}

/// Sends a photo to a path; `None` if nobody answers.
pub async fn post_photo(address: &str, path: &str, photo: &[u8]) -> Option<Reply> {
    let head = format!(
        "POST {path} HTTP/1.1\r\nHost: {address}\r\nContent-Type: image/jpeg\r\nContent-Length: {}\r\nConnection: \
         close\r\n\r\n",
        photo.len()
    );
    ask(address, &head, photo).await
}

async fn ask(address: &str, head: &str, body: &[u8]) -> Option<Reply> {
    let mut connection = TcpStream::connect(address).await.ok()?;
    connection.write_all(head.as_bytes()).await.ok()?;
    // Who refuses at once may hang up before all was sent; the answer is there all the same.
    let _ = connection.write_all(body).await;
    let mut answer = Vec::new();
    connection.read_to_end(&mut answer).await.ok()?;
    let end = answer.windows(4).position(|four| four == b"\r\n\r\n")?;
    let status = String::from_utf8_lossy(&answer[..end]).split_whitespace().nth(1)?.parse().ok()?;
    Some(Reply { status, body: answer.split_off(end + 4) })
}
