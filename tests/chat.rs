//! Tests of two chats: the chat of the built-in server, and chat lines in a stream that ffmpeg
//! publishes.

use std::io::ErrorKind;
use std::net::{TcpListener, TcpStream};
use std::time::{Duration, Instant};

use crate::peers::onair::Onair;
use crate::peers::{self, LIMIT};
use onair::net::web::WebUrl;
use onair::net::{Options, Runtime};
use onair::player::chat::{Chat, ChatState};
use onair::wire::chat::{ChatFrame, ChatLine};
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::{self, Message, WebSocket};

/// A server with a stream from ffmpeg, which carries a text every second.
fn server(name: &str) -> (Onair, peers::Peer, String, String) {
    let arguments = ["serve", "--rtmp", "127.0.0.1:0", "--http", "127.0.0.1:0"];
    let mut server = Onair::start(&arguments);
    let ready = server.wait_named("ready");
    let rtmp = format!("{}/live/{name}", ready["rtmp"].as_str().unwrap().trim_end_matches('/'));
    let http = ready["http"].as_str().unwrap();
    let http = format!("{}/live/{name}", http.trim_end_matches('/'));
    let folder = tempfile::tempdir().unwrap().keep();
    let texts = folder.join("texts.srt");
    let srt: String = (0..60)
        .map(|s| format!("{}\n00:00:{s:02},000 --> 00:00:{s:02},900\nline {s} of it\n\n", s + 1))
        .collect();
    std::fs::write(&texts, srt).unwrap();
    #[rustfmt::skip]
    let words = [
        "-hide_banner", "-nostdin", "-v", "error", "-re",
        "-f", "lavfi", "-i", "testsrc2=size=320x180:rate=15", "-i", texts.to_str().unwrap(),
        "-map", "0:v", "-map", "1:s", "-c:v", "libx264", "-preset", "ultrafast", "-g", "15",
        "-pix_fmt", "yuv420p", "-c:s", "text", "-t", "60", "-f", "flv", &rtmp,
    ];
    let peer = peers::Peer::start("ffmpeg", words);
    server.wait_named("publish");
    (server, peer, rtmp, http)
}

/// The chat line in a message of the chat.
fn line(frame: ChatFrame) -> ChatLine {
    match frame {
        ChatFrame::Post(post) => post.line,
        other => panic!("{other:?}"),
    }
}

/// A WebSocket from a page of this origin, or with no origin at all.
fn socket(
    url: &str,
    origin: Option<&str>,
) -> Result<
    WebSocket<TcpStream>,
    Box<tungstenite::HandshakeError<tungstenite::ClientHandshake<TcpStream>>>,
> {
    let address = url.strip_prefix("ws://").unwrap().split('/').next().unwrap().to_owned();
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(LIMIT)).unwrap();
    let mut request = url.into_client_request().unwrap();
    if let Some(origin) = origin {
        request.headers_mut().insert("Origin", origin.parse().unwrap());
    }
    tungstenite::client(request, stream).map(|(socket, _)| socket).map_err(Box::new)
}

/// The next text message.
fn text(socket: &mut WebSocket<TcpStream>) -> String {
    loop {
        if let Message::Text(text) = socket.read().unwrap() {
            return text.as_str().to_owned();
        }
    }
}

/// Reads until the server disconnects us, whatever it sends before that. It sends a ping as soon as
/// we connect.
fn is_let_go(socket: &mut WebSocket<TcpStream>) -> bool {
    loop {
        match socket.read() {
            Ok(Message::Close(_)) => return true,
            Ok(_) => {}
            Err(tungstenite::Error::Io(error)) => {
                let silent = [ErrorKind::WouldBlock, ErrorKind::TimedOut].contains(&error.kind());
                return !silent;
            }
            Err(_) => return true,
        }
    }
}

#[test]
fn chat_messages_and_those_in_the_stream_reach_everybody() {
    if peers::missing(&["ffmpeg"]) {
        return;
    }
    let (server, _ffmpeg, rtmp, http) = server("talk");
    let chat = format!("ws{}/chat", http.strip_prefix("http").unwrap());
    let mut player = Onair::start(&["play", &rtmp, "--headless", "--mute", "--chat", &chat]);
    player.wait_event("the chat is open", |it| it["event"] == "chat" && it["state"] == "open");

    // A chatter with other software.
    let mut other = socket(&chat, None).unwrap();
    other.send(Message::text(r#"{"name":"ann","text":"hel\u202elo"}"#)).unwrap();
    let post = text(&mut other);
    assert!(post.starts_with(r#"{"name":"ann","text":"hello","#), "{post}");
    let event = player.wait_event("ann", |it| it["event"] == "chat" && it["name"] == "ann");
    assert_eq!(event["text"], "hello");

    // Our own client, which also receives the earlier lines.
    let runtime = Runtime::start().unwrap();
    let url = WebUrl::parse(&format!("{http}.flv")).unwrap().chat().unwrap();
    let ours = Chat::join(url, Options::default(), &runtime);
    let first = ours.frames().recv_timeout(LIMIT).expect("the past");
    assert_eq!(line(first), ChatLine::new("ann", "hello").unwrap());
    assert_eq!(ours.state(), ChatState::Open);
    assert!(ours.say(ChatLine::new("", "加油!").unwrap(), 1));
    let message = line(ours.frames().recv_timeout(LIMIT).expect("what we said"));
    assert!(message.name.starts_with("guest-") && message.text == "加油!", "{message:?}");
    assert!(text(&mut other).contains("加油!"));

    // The text that ffmpeg writes into the stream.
    let line = player.wait_event("a text of the stream", |it| {
        it["event"] == "chat" && it["text"].as_str().is_some_and(|text| text.starts_with("line "))
    });
    assert_eq!(line["name"], "");
    player.stop(LIMIT);
    drop(server);
}

#[test]
fn a_server_that_ends_each_chat_at_once_is_asked_less_and_less_often() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("ws://{}/live/talk/chat", listener.local_addr().unwrap());
    let runtime = Runtime::start().unwrap();
    let _chat = Chat::join(WebUrl::parse(&url).unwrap(), Options::default(), &runtime);
    let joined: Vec<Instant> = listener
        .incoming()
        .take(4)
        .map(|stream| {
            let joined = Instant::now();
            let mut server = tungstenite::accept(stream.unwrap()).unwrap();
            server.close(None).unwrap();
            while server.read().is_ok() {}
            joined
        })
        .collect();
    // The third pause is 2 s. A random part of up to a quarter is left out.
    let last = joined[3] - joined[2];
    assert!(last >= Duration::from_millis(1_500), "{last:?}");
}

#[test]
fn bad_guests_harm_nobody() {
    if peers::missing(&["ffmpeg"]) {
        return;
    }
    let (_server, _ffmpeg, _, http) = server("talk");
    let chat = format!("ws{}/chat", http.strip_prefix("http").unwrap());
    assert!(socket(&chat.replace("/talk/", "/nothing/"), None).is_err(), "there is no such stream");

    let mut good = socket(&chat, None).unwrap();
    assert!(socket(&chat, Some("https://evil.example")).is_err(), "a page of somebody else's");

    // Messages that are no chat message, too many messages, and a giant message: the server reports each error
    // and then disconnects the client.
    let mut bad = socket(&chat, None).unwrap();
    for message in ["", "{", "[1]", r#"{"text":""}"#] {
        bad.send(Message::text(message)).unwrap();
        assert!(text(&mut bad).contains("must be JSON"));
    }
    bad.send(Message::text(r#"{"text":"","number":7}"#)).unwrap();
    assert!(text(&mut bad).contains(r#""number":7"#));
    for _ in 0..60 {
        let _ = bad.send(Message::text("x"));
    }
    assert!(is_let_go(&mut bad));
    let mut giant = socket(&chat, None).unwrap();
    let _ = giant.send(Message::text("x".repeat(100_000)));
    assert!(is_let_go(&mut giant), "a message without end is not read");

    // The other chatters can still talk, and never saw any of this.
    good.send(Message::text(r#"{"name":"bob","text":"still here","number":8}"#)).unwrap();
    assert_eq!(text(&mut good), r#"{"passed":8}"#);
    let post = text(&mut good);
    assert!(post.starts_with(r#"{"name":"bob","text":"still here","#), "{post}");
}
