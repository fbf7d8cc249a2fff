//! A mail server that does what its script says, one entry a connection.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

/// What it does with one connection.
#[derive(Clone, Copy, Debug)]
pub enum Act {
    /// Takes the mail.
    Take,
    /// Answers the greeting with this.
    Greet(&'static str),
    /// Answers RCPT with this.
    Recipient(&'static str),
    /// Answers the end of DATA with this.
    Data(&'static str),
    /// Closes at once.
    Hang,
    /// Closes within DATA.
    HangInData,
    /// Never says a word.
    Silent,
}

/// A mail as it was taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Taken {
    pub from: String,
    pub to: String,
    pub raw: Vec<u8>,
}

#[derive(Default)]
pub struct Seen {
    pub script: VecDeque<Act>,
    pub taken: Vec<Taken>,
    pub connections: usize,
    /// Connections that were encrypted.
    pub encrypted: usize,
    pub hello: String,
}

pub struct SmtpServer {
    pub port: u16,
    pub seen: Arc<Mutex<Seen>>,
    task: tokio::task::JoinHandle<()>,
}

impl Drop for SmtpServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl SmtpServer {
    /// After the script it takes what comes.
    pub async fn start(script: &[Act]) -> Self {
        Self::start_with(script, None).await
    }

    /// As [`SmtpServer::start`]; with an acceptor it offers STARTTLS.
    pub async fn start_with(script: &[Act], acceptor: Option<TlsAcceptor>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let seen = Arc::new(Mutex::new(Seen { script: script.to_vec().into(), ..Seen::default() }));
        let shared = Arc::clone(&seen);
        let task = tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let (shared, acceptor) = (Arc::clone(&shared), acceptor.clone());
                tokio::spawn(async move {
                    let _hung_up = talk(stream, &shared, acceptor).await;
                });
            }
        });
        Self { port, seen, task }
    }

    pub fn taken(&self) -> Vec<Taken> {
        self.seen.lock().unwrap().taken.clone()
    }

    pub fn connections(&self) -> usize {
        self.seen.lock().unwrap().connections
    }
}

async fn talk(stream: TcpStream, seen: &Mutex<Seen>, acceptor: Option<TlsAcceptor>) -> std::io::Result<()> {
    let act = {
        let mut seen = seen.lock().unwrap();
        seen.connections += 1;
        seen.script.pop_front().unwrap_or(Act::Take)
    };
    let mut stream = BufReader::new(stream);
    match act {
        Act::Hang => return Ok(()),
        Act::Silent => {
            tokio::time::sleep(std::time::Duration::from_secs(60)).await;
            return Ok(());
        }
        Act::Greet(line) => stream.write_all(format!("{line}\r\n").as_bytes()).await?,
        _ => stream.write_all(b"220 mx.example.test ESMTP\r\n").await?,
    }
    if !lines(&mut stream, act, seen, acceptor.is_some()).await? {
        return Ok(());
    }
    let mut stream = BufReader::new(acceptor.unwrap().accept(stream.into_inner()).await?);
    seen.lock().unwrap().encrypted += 1;
    lines(&mut stream, act, seen, false).await.map(|_| ())
}

/// Whether the client asked for TLS.
async fn lines(
    stream: &mut BufReader<impl AsyncRead + AsyncWrite + Unpin>,
    act: Act,
    seen: &Mutex<Seen>,
    offers: bool,
) -> std::io::Result<bool> {
    let (mut from, mut to) = (String::new(), String::new());
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await? == 0 {
            return Ok(false);
        }
        let line = line.trim_end();
        let answer = match line.split(' ').next().unwrap().to_ascii_uppercase().as_str() {
            "EHLO" | "HELO" => {
                seen.lock().unwrap().hello = line.to_owned();
                if offers {
                    "250-mx.example.test\r\n250-8BITMIME\r\n250-STARTTLS\r\n250 SMTPUTF8"
                } else {
                    "250-mx.example.test\r\n250-8BITMIME\r\n250 SMTPUTF8"
                }
            }
            "STARTTLS" if offers => {
                stream.write_all(b"220 go\r\n").await?;
                return Ok(true);
            }
            "MAIL" => {
                from = line.to_owned();
                "250 ok"
            }
            "RCPT" => {
                to = line.to_owned();
                if let Act::Recipient(refusal) = act { refusal } else { "250 ok" }
            }
            "DATA" => {
                stream.write_all(b"354 go on\r\n").await?;
                if matches!(act, Act::HangInData) {
                    return Ok(false);
                }
                let mut raw = Vec::new();
                loop {
                    let mut line = Vec::new();
                    stream.read_until(b'\n', &mut line).await?;
                    match line.as_slice() {
                        b".\r\n" => break,
                        stuffed if stuffed.starts_with(b".") => raw.extend_from_slice(&stuffed[1..]),
                        line => raw.extend_from_slice(line),
                    }
                }
                if let Act::Data(refusal) = act {
                    refusal
                } else {
                    let taken = Taken { from: from.clone(), to: to.clone(), raw };
                    seen.lock().unwrap().taken.push(taken);
                    "250 taken"
                }
            }
            "QUIT" => {
                stream.write_all(b"221 bye\r\n").await?;
                return Ok(false);
            }
            "RSET" | "NOOP" => "250 ok",
            _ => "500 what?",
        };
        stream.write_all(format!("{answer}\r\n").as_bytes()).await?;
    }
}
