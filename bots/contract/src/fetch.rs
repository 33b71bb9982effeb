//! The bounded download of photos: allowed hosts only, no redirects, no private addresses, a cap on bytes while they
//! stream, a deadline. It knows no platform.

use std::error::Error;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use url::{Host, Url};

/// Where photos may be downloaded from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AllowedHost {
    scheme: String,
    host: String,
    port: u16,
}

/// An entry of the list that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{found:?} is no download host; write a name for https (cdn.example.org) or scheme, host and port (http://127.0.0.1:8081)"
)]
pub struct AllowedHostError {
    found: String,
}

impl AllowedHost {
    /// Reads `cdn.example.org` (https, port 443) or a whole origin such as `http://127.0.0.1:8081`. Only an origin
    /// written out with an address may lie in a private network.
    ///
    /// # Errors
    /// It is neither.
    pub fn parse(text: &str) -> Result<Self, AllowedHostError> {
        let error = || AllowedHostError { found: text.to_owned() };
        let whole = if text.contains("://") { text.to_owned() } else { format!("https://{text}") };
        let url = Url::parse(&whole).map_err(|_| error())?;
        let is_bare =
            url.path() == "/" && url.query().is_none() && url.username().is_empty() && url.password().is_none();
        match (url.scheme(), url.host_str(), url.port_or_known_default()) {
            ("http" | "https", Some(host), Some(port)) if is_bare && !host.is_empty() => {
                Ok(Self { scheme: url.scheme().to_owned(), host: host.to_owned(), port })
            }
            _ => Err(error()),
        }
    }

    fn allows(&self, url: &Url) -> bool {
        url.scheme() == self.scheme
            && url.host_str() == Some(self.host.as_str())
            && url.port_or_known_default() == Some(self.port)
    }
}

/// Limits of a download.
#[derive(Debug, Clone, Copy)]
pub struct FetchLimits {
    /// Most bytes.
    pub max_bytes: u64,
    /// Longest time for the whole download.
    pub deadline: Duration,
}

/// Why nothing was downloaded. It never shows the address, which can hold a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FetchError {
    /// The address is not of an allowed host, or leads into a private network.
    #[error("the address is not of an allowed download host")]
    NotAllowed,
    /// The host says that the file is not there (any more): ask the platform for a fresh address, once.
    #[error("the file is gone (status {0})")]
    Gone(u16),
    /// More bytes than allowed.
    #[error("the file has more than {0} bytes")]
    TooLarge(u64),
    /// It took too long.
    #[error("the download took longer than {} s", .0.as_secs())]
    TimedOut(Duration),
    /// Another answer of the host.
    #[error("the host answered with status {0}")]
    Status(u16),
    /// The host cannot be reached or hung up.
    #[error("the host cannot be reached")]
    Network,
}

impl FetchError {
    /// Its name in metrics.
    pub fn name(self) -> &'static str {
        match self {
            Self::NotAllowed => "not-allowed",
            Self::Gone(_) => "gone",
            Self::TooLarge(_) => "too-large",
            Self::TimedOut(_) => "timed-out",
            Self::Status(_) => "status",
            Self::Network => "network",
        }
    }
}

/// Connections that are kept open without use. Each keeps a buffer as large as the photos that came through it: after a
/// rush, all that it opened would hold hundreds of MB for a minute and a half.
const MAX_IDLE: usize = 4;

/// Downloads photos.
#[derive(Debug, Clone)]
pub struct Fetcher {
    client: reqwest::Client,
    allowed: Vec<AllowedHost>,
    limits: FetchLimits,
}

impl Fetcher {
    /// With the hosts it may reach.
    ///
    /// # Errors
    /// The system offers no TLS set-up.
    pub fn new(allowed: Vec<AllowedHost>, limits: FetchLimits) -> Result<Self, FetchError> {
        let client = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .pool_max_idle_per_host(MAX_IDLE)
            .no_proxy()
            .connect_timeout(limits.deadline.min(Duration::from_secs(5)))
            .timeout(limits.deadline)
            .pool_max_idle_per_host(4)
            .dns_resolver(std::sync::Arc::new(PublicResolver))
            .build()
            .map_err(|_| FetchError::Network)?;
        Ok(Self { client, allowed, limits })
    }

    /// Most bytes of a download.
    pub fn max_bytes(&self) -> u64 {
        self.limits.max_bytes
    }

    /// The bytes behind an address.
    ///
    /// # Errors
    /// The address is not allowed, or the download failed or became too large or too slow.
    pub async fn get(&self, address: &str) -> Result<Bytes, FetchError> {
        let url = Url::parse(address).map_err(|_| FetchError::NotAllowed)?;
        let is_plain = url.username().is_empty() && url.password().is_none();
        if !is_plain || !self.allowed.iter().any(|host| host.allows(&url)) {
            return Err(FetchError::NotAllowed);
        }
        // An address literal reaches no resolver, so it must be one that the list writes out, which it is by now; a
        // private one is refused all the same where the list asks for TLS, which no private host of ours speaks.
        if let Some(Host::Ipv4(_) | Host::Ipv6(_)) = url.host()
            && url.scheme() == "https"
        {
            return Err(FetchError::NotAllowed);
        }
        let mut answer = self.client.get(url).send().await.map_err(|error| self.fault(&error))?;
        match answer.status().as_u16() {
            200 => {}
            status @ (403 | 404 | 410) => return Err(FetchError::Gone(status)),
            status => return Err(FetchError::Status(status)),
        }
        let max = self.limits.max_bytes;
        if answer.content_length().is_some_and(|n| n > max) {
            return Err(FetchError::TooLarge(max));
        }
        let mut bytes = BytesMut::new();
        while let Some(part) = answer.chunk().await.map_err(|error| self.fault(&error))? {
            if (bytes.len() + part.len()) as u64 > max {
                return Err(FetchError::TooLarge(max));
            }
            bytes.extend_from_slice(&part);
        }
        Ok(bytes.freeze())
    }

    fn fault(&self, error: &reqwest::Error) -> FetchError {
        if error.is_timeout() {
            return FetchError::TimedOut(self.limits.deadline);
        }
        let mut cause = error.source();
        while let Some(inner) = cause {
            if inner.is::<PrivateAddress>() {
                return FetchError::NotAllowed;
            }
            cause = inner.source();
        }
        FetchError::Network
    }
}

/// A name that leads to private addresses only.
#[derive(Debug, thiserror::Error)]
#[error("the name leads into a private network")]
struct PrivateAddress;

/// The system's resolver without private addresses, so that no name on the list can be bent to a host inside.
struct PublicResolver;

impl Resolve for PublicResolver {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let found: Vec<SocketAddr> = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            let public: Vec<SocketAddr> = found.into_iter().filter(|address| is_public(address.ip())).collect();
            if public.is_empty() {
                return Err(Box::new(PrivateAddress) as Box<dyn Error + Send + Sync>);
            }
            Ok(Box::new(public.into_iter()) as Addrs)
        })
    }
}

/// Whether an address lies in the open internet.
fn is_public(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(v4) => {
            let [a, b, ..] = v4.octets();
            let is_shared = a == 100 && (64..128).contains(&b);
            let is_reserved = a == 0 || a >= 240 || (a == 192 && b == 0) || (a == 198 && (b == 18 || b == 19));
            !(v4.is_private()
                || v4.is_loopback()
                || v4.is_link_local()
                || v4.is_multicast()
                || v4.is_documentation()
                || is_shared
                || is_reserved)
        }
        IpAddr::V6(v6) => {
            let first = v6.segments()[0];
            let is_local = (first & 0xfe00) == 0xfc00 || (first & 0xffc0) == 0xfe80;
            // Addresses that carry a v4 one in them (NAT64, 6to4) could lead back inside.
            let is_wrapped = first == 0x2002 || (first == 0x64 && v6.segments()[1] == 0xff9b);
            !(v6.is_loopback() || v6.is_unspecified() || v6.is_multicast() || is_local || is_wrapped)
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    /// A server that gives every request the same bytes; returns its origin.
    async fn server(answer: Vec<u8>) -> String {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let origin = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let answer = answer.clone();
                tokio::spawn(async move {
                    let mut request = [0u8; 2048];
                    let _ = stream.read(&mut request).await;
                    let _ = stream.write_all(&answer).await;
                });
            }
        });
        origin
    }

    async fn fetched(answer: &str, max_bytes: u64) -> Result<Bytes, FetchError> {
        let origin = server(answer.as_bytes().to_vec()).await;
        let limits = FetchLimits { max_bytes, deadline: Duration::from_secs(5) };
        let fetcher = Fetcher::new(vec![AllowedHost::parse(&origin).unwrap()], limits).unwrap();
        fetcher.get(&format!("{origin}/photo.jpg?ex=1")).await
    }

    #[tokio::test]
    async fn answers_are_taken_within_their_limits() {
        let long = format!("HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n{}", "x".repeat(100));
        let claimed = "HTTP/1.1 200 OK\r\ncontent-length: 99999\r\n\r\nx";
        let short = "HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nabc";
        assert_eq!(fetched(short, 3).await.unwrap(), "abc");
        assert_eq!(fetched(&long, 99).await, Err(FetchError::TooLarge(99)));
        assert_eq!(fetched(claimed, 99).await, Err(FetchError::TooLarge(99)));
        let status = |line: &str| format!("HTTP/1.1 {line}\r\ncontent-length: 0\r\n\r\n");
        assert_eq!(fetched(&status("404 Not Found"), 9).await, Err(FetchError::Gone(404)));
        assert_eq!(fetched(&status("500 Oh"), 9).await, Err(FetchError::Status(500)));
        let redirect = "HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n";
        assert_eq!(fetched(redirect, 9).await, Err(FetchError::Status(302)));
        assert_eq!(fetched("nonsense", 9).await, Err(FetchError::Network));
    }

    #[tokio::test]
    async fn only_listed_hosts_are_reached() {
        let limits = FetchLimits { max_bytes: 9, deadline: Duration::from_secs(1) };
        let allowed = ["cdn.example.org", "http://127.0.0.1:8081", "localhost"];
        let allowed = allowed.map(|host| AllowedHost::parse(host).unwrap()).to_vec();
        let fetcher = Fetcher::new(allowed, limits).unwrap();
        for address in [
            "http://cdn.example.org/a",
            "https://cdn.example.org:8443/a",
            "https://cdn.example.org.evil.test/a",
            "https://user@cdn.example.org/a",
            "https://127.0.0.1/a",
            "http://127.0.0.1/a",
            "http://[::1]:8081/a",
            "file:///etc/passwd",
            "not an address",
            "https://localhost/a",
        ] {
            assert_eq!(fetcher.get(address).await, Err(FetchError::NotAllowed), "{address}");
        }
    }

    #[test]
    fn private_addresses_are_known() {
        for address in [
            "127.0.0.1",
            "10.1.2.3",
            "172.16.0.1",
            "192.168.1.1",
            "169.254.169.254",
            "100.64.0.1",
            "0.0.0.0",
            "224.0.0.1",
            "255.255.255.255",
            "198.18.0.1",
            "::1",
            "::",
            "fe80::1",
            "fd00::1",
            "::ffff:10.0.0.1",
            "ff02::1",
            "2002:7f00:1::",
            "64:ff9b::7f00:1",
        ] {
            assert!(!is_public(address.parse().unwrap()), "{address}");
        }
        for address in ["1.1.1.1", "162.159.130.233", "2606:4700::1111"] {
            assert!(is_public(address.parse().unwrap()), "{address}");
        }
    }

    #[test]
    fn entries_of_the_list_are_checked() {
        for text in ["", "ftp://a", "https://a/path", "http://user@a", "a b"] {
            assert!(AllowedHost::parse(text).is_err(), "{text}");
        }
    }
}
