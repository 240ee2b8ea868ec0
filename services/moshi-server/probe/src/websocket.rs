//! The client's side of a websocket (RFC 6455), as far as one short exchange needs it.

use std::io::{Error, ErrorKind, Read, Write};
use std::net::SocketAddr;
use std::time::Instant;

use crate::http::{self, Stream};

const BINARY: u8 = 2;
const CLOSE: u8 = 8;

pub struct WebSocket {
    stream: Stream,
    buffer: Vec<u8>,
}

#[derive(Debug, PartialEq, Eq)]
pub enum Message {
    Binary(Vec<u8>),
    Close,
}

pub enum Opened {
    Open(WebSocket),
    /// The server answered without upgrading, with this status.
    Refused(u16),
}

impl WebSocket {
    /// The answer to the handshake's key is not checked: it guards against caches between client and server.
    pub fn open(address: SocketAddr, path: &str, key: &str, deadline: Instant) -> Result<Opened, Error> {
        let mut stream = Stream::connect(address, deadline)?;
        stream.write_all(handshake(address, path, key).as_bytes())?;
        Ok(match http::read_head(&mut stream)? {
            (101, buffer) => Opened::Open(WebSocket { stream, buffer }),
            (status, _) => Opened::Refused(status),
        })
    }

    pub fn send(&mut self, payload: &[u8]) -> Result<(), Error> {
        self.stream.write_all(&frame(BINARY, payload))
    }

    /// Says goodbye, so that the server frees the slot at once and logs no error.
    pub fn close(mut self) {
        let _ = self.stream.write_all(&frame(CLOSE, &[]));
    }

    /// The next message; pings and text are skipped, the server's pings being rarer than a probe is long.
    pub fn receive(&mut self) -> Result<Message, Error> {
        loop {
            while let Some((opcode, payload, length)) = parse(&self.buffer) {
                self.buffer.drain(..length);
                match opcode {
                    BINARY => return Ok(Message::Binary(payload)),
                    CLOSE => return Ok(Message::Close),
                    _ => {}
                }
            }
            let mut chunk = [0; 4096];
            match self.stream.read(&mut chunk)? {
                0 => return Err(Error::new(ErrorKind::UnexpectedEof, "closed without a goodbye")),
                n => self.buffer.extend_from_slice(&chunk[..n]),
            }
        }
    }
}

/// The key goes into the header, as the server logs the query; a key that no header can hold goes into the query.
fn handshake(address: SocketAddr, path: &str, key: &str) -> String {
    let (header, query) = if key.bytes().all(|byte| (b'!'..=b'~').contains(&byte)) && !key.is_empty() {
        (format!("kyutai-api-key: {key}\r\n"), String::new())
    } else {
        let separator = if path.contains('?') { '&' } else { '?' };
        let encoded: String = key.bytes().map(|byte| format!("%{byte:02X}")).collect();
        (String::new(), format!("{separator}auth_id={encoded}"))
    };
    format!(
        "GET {path}{query} HTTP/1.1\r\nHost: {address}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: bW9zaGktaGVhbHRoLTEyMw==\r\n{header}\r\n"
    )
}

/// A client's frame has to be masked; with a mask of zeros the payload stays as it is.
fn frame(opcode: u8, payload: &[u8]) -> Vec<u8> {
    let length = u8::try_from(payload.len()).ok().filter(|length| *length < 126).expect("a probe sends few bytes");
    let mut data = vec![0x80 | opcode, 0x80 | length, 0, 0, 0, 0];
    data.extend_from_slice(payload);
    data
}

/// Opcode, payload and whole length of the first frame, once it is there in full.
fn parse(data: &[u8]) -> Option<(u8, Vec<u8>, usize)> {
    let opcode = data.first()? & 0x0f;
    let (length, head): (usize, usize) = match data.get(1)? & 0x7f {
        126 => (usize::from(u16::from_be_bytes(data.get(2..4)?.try_into().ok()?)), 4),
        127 => (usize::try_from(u64::from_be_bytes(data.get(2..10)?.try_into().ok()?)).ok()?, 10),
        length => (usize::from(length), 2),
    };
    let end = head.checked_add(length)?;
    Some((opcode, data.get(head..end)?.to_vec(), end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames() {
        assert_eq!(frame(BINARY, b"\0"), [0x82, 0x81, 0, 0, 0, 0, 0]);
        assert_eq!(parse(b"\x82\x02ab\x88\x00"), Some((BINARY, b"ab".to_vec(), 4)));
        assert_eq!(parse(b"\x88\x00"), Some((CLOSE, vec![], 2)));
        assert_eq!(parse(b"\x82\x02a"), None);
        assert_eq!(parse(b"\x82"), None);
        let long = [&[0x82, 126, 1, 0][..], &[7; 256]].concat();
        assert_eq!(parse(&long), Some((BINARY, vec![7; 256], 260)));
        let absurd = [0x82, 127, 255, 255, 255, 255, 255, 255, 255, 255];
        assert_eq!(parse(&absurd), None);
    }

    #[test]
    fn keys() {
        let address = SocketAddr::from(([127, 0, 0, 1], 1));
        assert!(handshake(address, "/a", "token").contains("\r\nkyutai-api-key: token\r\n\r\n"));
        let odd = handshake(address, "/a?b=c", "é\r\n");
        assert!(odd.starts_with("GET /a?b=c&auth_id=%C3%A9%0D%0A HTTP/1.1\r\n"), "{odd}");
        assert!(!odd.contains("api-key"));
    }
}
