//! The connection to Redis. Nothing here waits longer than the time-out, but
//! looking up a name, which the system does in its own time.

use std::io::{self, ErrorKind, Read, Write as _};
use std::net::{TcpStream, ToSocketAddrs as _};
use std::time::{Duration, Instant};

use redis::{Parser, Value};
use vak_types::printable;

use crate::Sharing;

/// Most bytes of an answer. The script's has some eighty, an error a line.
const ANSWER_BYTES_MAX: usize = 16 << 10;

/// Most bytes of what Redis says that are passed on.
const WORDS_BYTES_MAX: usize = 200;

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    #[error("no connection: {0}")]
    Connect(io::Error),
    #[error("no answer in time")]
    Late,
    #[error("the connection broke")]
    Broken,
    #[error("it answered `{0}`")]
    Error(String),
    #[error("its answer makes no sense")]
    Garbage,
}

/// A connection, made when it is needed.
#[derive(Debug)]
pub(crate) struct Link {
    sharing: Sharing,
    stream: Option<TcpStream>,
}

impl Link {
    pub(crate) fn new(sharing: Sharing) -> Self {
        Self { sharing, stream: None }
    }

    /// Makes sure that there is a connection.
    pub(crate) fn connect(&mut self) -> Result<(), Failure> {
        if self.stream.as_ref().is_some_and(is_quiet) {
            return Ok(());
        }
        self.stream = None;
        let Sharing { database, user, password, timeout, .. } = &self.sharing;
        let deadline = Instant::now() + *timeout;
        let stream = self.open(deadline)?;
        if let Some(password) = password {
            let mut login = redis::cmd("AUTH");
            login.arg(user.as_deref()).arg(password);
            exchange(&stream, &login.get_packed_command(), deadline)?;
        }
        if *database != 0 {
            exchange(&stream, &redis::cmd("SELECT").arg(database).get_packed_command(), deadline)?;
        }
        self.stream = Some(stream);
        Ok(())
    }

    /// Sends a command and waits for the answer. It is sent once: whether Redis
    /// got it is not known after a failure.
    pub(crate) fn ask(&mut self, command: &[u8]) -> Result<Value, Failure> {
        // Taken out, so that after a failure a late answer is not the next one's.
        let stream = self.stream.take().ok_or(Failure::Broken)?;
        let answer = exchange(&stream, command, Instant::now() + self.sharing.timeout);
        if matches!(answer, Ok(_) | Err(Failure::Error(_))) {
            self.stream = Some(stream);
        }
        answer
    }

    fn open(&self, deadline: Instant) -> Result<TcpStream, Failure> {
        let Sharing { host, port, .. } = &self.sharing;
        let mut failure = Failure::Connect(io::Error::new(ErrorKind::NotFound, "the name has no address"));
        for address in (host.as_str(), *port).to_socket_addrs().map_err(Failure::Connect)? {
            match TcpStream::connect_timeout(&address, left(deadline)?) {
                Ok(stream) => {
                    stream.set_nodelay(true).map_err(Failure::Connect)?;
                    return Ok(stream);
                }
                Err(error) => failure = Failure::Connect(error),
            }
        }
        Err(failure)
    }
}

/// False when it was closed, as Redis does with idle connections, or when there
/// is something in it that nobody asked for.
fn is_quiet(stream: &TcpStream) -> bool {
    let quiet = |stream: &TcpStream| {
        stream.set_nonblocking(true)?;
        let peeked = stream.peek(&mut [0]);
        stream.set_nonblocking(false)?;
        Ok::<_, io::Error>(matches!(peeked, Err(error) if error.kind() == ErrorKind::WouldBlock))
    };
    quiet(stream).unwrap_or(false)
}

fn exchange(stream: &TcpStream, command: &[u8], deadline: Instant) -> Result<Value, Failure> {
    stream.set_write_timeout(Some(left(deadline)?)).map_err(|error| failed(&error))?;
    // One or two packets, which the system takes at once or not at all.
    (&mut &*stream).write_all(command).map_err(|error| failed(&error))?;
    let answer = Answer { stream, deadline, bytes_left: ANSWER_BYTES_MAX };
    match Parser::new().parse_value(answer) {
        Ok(Value::ServerError(error)) => Err(Failure::Error(printable(&error.to_string(), WORDS_BYTES_MAX))),
        Ok(value) => Ok(value),
        Err(error) if error.is_timeout() => Err(Failure::Late),
        Err(error) if error.is_io_error() => Err(Failure::Broken),
        Err(_) => Err(Failure::Garbage),
    }
}

fn failed(error: &io::Error) -> Failure {
    match error.kind() {
        ErrorKind::WouldBlock | ErrorKind::TimedOut => Failure::Late,
        _ => Failure::Broken,
    }
}

fn left(deadline: Instant) -> Result<Duration, Failure> {
    let left = deadline.saturating_duration_since(Instant::now());
    if left.is_zero() { Err(Failure::Late) } else { Ok(left) }
}

/// What comes in before the deadline, however slowly, and not too much of it.
struct Answer<'a> {
    stream: &'a TcpStream,
    deadline: Instant,
    bytes_left: usize,
}

impl Read for Answer<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = left(self.deadline).map_err(|_| io::Error::from(ErrorKind::TimedOut))?;
        self.stream.set_read_timeout(Some(left))?;
        let most = buffer.len().min(self.bytes_left);
        let read = (&mut &*self.stream).read(&mut buffer[..most])?;
        // At the end of what may come this is the end of the stream.
        self.bytes_left -= read;
        Ok(read)
    }
}
