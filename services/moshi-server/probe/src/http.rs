//! The little HTTP/1.1 that one request to a server on the same machine needs.

use std::io::{Error, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

/// What is left until the deadline; never zero, which the socket calls refuse.
pub fn left(deadline: Instant) -> Duration {
    deadline.saturating_duration_since(Instant::now()).max(Duration::from_millis(1))
}

/// A socket whose reads and writes end at the deadline, however the bytes trickle.
pub struct Stream {
    socket: TcpStream,
    deadline: Instant,
}

impl Stream {
    pub fn connect(address: SocketAddr, deadline: Instant) -> Result<Stream, Error> {
        let socket = TcpStream::connect_timeout(&address, left(deadline))?;
        socket.set_nodelay(true)?;
        Ok(Stream { socket, deadline })
    }

    fn time_left(&self) -> Result<Duration, Error> {
        match self.deadline.saturating_duration_since(Instant::now()) {
            Duration::ZERO => Err(Error::new(ErrorKind::TimedOut, "no answer in time")),
            time => Ok(time),
        }
    }
}

impl Read for Stream {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize, Error> {
        self.socket.set_read_timeout(Some(self.time_left()?))?;
        self.socket.read(buffer).map_err(|error| match error.kind() {
            ErrorKind::WouldBlock => Error::new(ErrorKind::TimedOut, "no answer in time"),
            _ => error,
        })
    }
}

impl Write for Stream {
    fn write(&mut self, data: &[u8]) -> Result<usize, Error> {
        self.socket.set_write_timeout(Some(self.time_left()?))?;
        self.socket.write(data)
    }

    fn flush(&mut self) -> Result<(), Error> {
        self.socket.flush()
    }
}

/// The body of a page; any status but 200 is an error.
pub fn get(address: SocketAddr, path: &str, deadline: Instant) -> Result<String, Error> {
    let mut stream = Stream::connect(address, deadline)?;
    // Not write!: the request goes out in one piece.
    let request = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes())?;
    let (status, rest) = read_head(&mut stream)?;
    if status != 200 {
        return Err(Error::other(format!("{path} answers {status}")));
    }
    let mut body = rest;
    stream.read_to_end(&mut body)?;
    Ok(String::from_utf8_lossy(&body).into_owned())
}

/// Reads a response up to the blank line: the status and what came after the head already.
pub fn read_head(stream: &mut impl Read) -> Result<(u16, Vec<u8>), Error> {
    let mut data = Vec::new();
    let mut buffer = [0; 4096];
    let end = loop {
        if let Some(at) = data.windows(4).position(|window| window == b"\r\n\r\n") {
            break at + 4;
        }
        match stream.read(&mut buffer)? {
            0 => return Err(Error::new(ErrorKind::UnexpectedEof, "closed without an answer")),
            n => data.extend_from_slice(&buffer[..n]),
        }
        if data.len() > 65536 {
            return Err(Error::other("no HTTP answer"));
        }
    };
    let rest = data.split_off(end);
    let status = String::from_utf8_lossy(&data).split_ascii_whitespace().nth(1).and_then(|code| code.parse().ok());
    Ok((status.ok_or_else(|| Error::other("no HTTP answer"))?, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heads() {
        let mut answer: &[u8] = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n\x88\x00";
        assert_eq!(read_head(&mut answer).unwrap(), (101, b"\x88\x00".to_vec()));
        assert!(read_head(&mut &b"HTTP/1.1 200 OK\r\n"[..]).is_err());
        assert!(read_head(&mut &b"nonsense\r\n\r\n"[..]).is_err());
    }
}
