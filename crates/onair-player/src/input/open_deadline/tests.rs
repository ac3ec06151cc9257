//! Tests of a server that stays slightly below the limit of each step, and of the total limit that
//! ends the wait.

use std::sync::Arc;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::sleep;

use super::*;
use crate::base::Clock;
use crate::net::rtmp::Options;
use crate::player::input::connection::End;
use crate::player::input::feed::InputFeed;
use crate::player::input::rtmp::{self, Rtmp};
use crate::player::probe::probe_stream;
use crate::player::session::config::{Config, Source};
use crate::player::session::shared::Shared;
use crate::text::Language;
use crate::wire::rtmp::server::{self, Event, Output, Session};

/// A total limit much below the limit of any step, and below the time that the slow server takes in
/// total.
const SHORT_TOTAL_TIMEOUT: Duration = Duration::from_secs(1);
/// Delay of each answer. A stream needs at least four answers.
const ANSWER_DELAY: Duration = Duration::from_millis(400);

#[test]
fn each_further_port_has_its_time() {
    let of = |ports| with_ports(super::OPEN_TIMEOUT, ports).as_secs();
    assert_eq!([0, 1, 2, 9].map(of), [30, 30, 40, 110]);
}

/// Answers every request with a short delay.
async fn answer(mut socket: TcpStream) -> std::io::Result<()> {
    let clock = Clock::start();
    let mut session = Session::new(server::Config::default(), clock.now(), 1);
    let mut buffer = [0; 4_096];
    loop {
        let mut reply = Vec::new();
        loop {
            let done = match session.poll_output() {
                Output::Transmit(bytes) => {
                    reply.extend_from_slice(&bytes);
                    Ok(())
                }
                Output::Event(Event::ConnectRequested(_)) => session.accept_connect(),
                Output::Event(Event::PlayRequested { .. }) => session.accept_play(),
                Output::Event(_) => Ok(()),
                Output::Timeout(_) | Output::Idle => break,
            };
            done.map_err(std::io::Error::other)?;
        }
        if !reply.is_empty() {
            sleep(ANSWER_DELAY).await;
            socket.write_all(&reply).await?;
        }
        let length = socket.read(&mut buffer).await?;
        if length == 0 {
            return Ok(());
        }
        let input = buffer.get(..length).unwrap_or_default();
        session.handle_input(clock.now(), input).map_err(std::io::Error::other)?;
    }
}

/// Starts a server that answers slowly.
async fn serve() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            // The client closes the connection.
            tokio::spawn(async move { drop(answer(socket).await) });
        }
    });
    address
}

fn is_overdue(failure: &Failure, peer: &str) {
    assert!(failure.to_string().ends_with(&format!(" within 1 s ({peer})")), "{failure:?}");
    assert_eq!(failure.kind, FailureKind::Unreachable);
    let cure = Language::English.cure(&failure.problem).unwrap();
    assert!(cure.contains("too slow"), "{cure}");
}

#[tokio::test]
async fn an_rtmp_server_that_accepts_a_little_less_at_every_attempt_is_not_tried_further() {
    let peer = serve().await;
    let text = format!("rtmp://{peer}/live/show");
    let (shared, _events) = Shared::new(&Config::new(Source::parse(&text)), Clock::start());
    let mut feed = InputFeed::new(Arc::new(shared), None, true);
    let url = rtmp::parse(&text).unwrap();
    let mut rtmp = Rtmp::new(url, Options::default(), false, None);
    rtmp.limit = SHORT_TOTAL_TIMEOUT;
    let end = rtmp.play(&mut feed).await;
    let End::Lost(failure) = end else { panic!("{end:?}") };
    is_overdue(&failure, &peer);
}

#[tokio::test]
async fn a_probe_gives_it_up_too() {
    let peer = serve().await;
    let text = format!("rtmp://{peer}/live/show");
    let net = net::Options::default();
    let probed = probe_stream(&text, &net, Clock::start(), &|| false, SHORT_TOTAL_TIMEOUT).await;
    is_overdue(&probed.unwrap_err(), &peer);
    // A web server that sends one byte at a time with the same delay.
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let peer = listener.local_addr().unwrap().to_string();
    tokio::spawn(async move {
        let (mut socket, _) = listener.accept().await.unwrap();
        let _ = socket.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await;
        while socket.write_all(&[0x47]).await.is_ok() {
            sleep(Duration::from_millis(100)).await;
        }
    });
    let text = format!("http://{peer}/live.ts");
    let probed = probe_stream(&text, &net, Clock::start(), &|| false, SHORT_TOTAL_TIMEOUT).await;
    is_overdue(&probed.unwrap_err(), &peer);
}
