//! Tests of a running server that opens its ports to the network and closes them again.

use std::io::{ErrorKind, Read, Write};
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream};

use onair::server::Listen;

use super::{LIMIT, headers, sound, start, start_with, wait_for, web};
use crate::peers::client::Client;

/// Returns an address of this computer at which its clients look like those of other computers.
fn own() -> IpAddr {
    onair::net::main_address().expect("a network: packaging/test.sh starts with one")
}

/// Connects an HTTP-FLV viewer, and reads the beginning of the response.
fn viewer(at: SocketAddr) -> TcpStream {
    let mut stream = TcpStream::connect(at).unwrap();
    stream.set_read_timeout(Some(LIMIT)).unwrap();
    stream.write_all(b"GET /live/show.flv HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n").unwrap();
    let mut head = [0; 12];
    stream.read_exact(&mut head).unwrap();
    assert_eq!(&head, b"HTTP/1.1 200");
    stream
}

/// Reads until these bytes arrive. Returns false if the connection ends before.
fn gets(stream: &mut TcpStream, wanted: &[u8]) -> bool {
    let (mut seen, mut block) = (Vec::new(), [0; 4_096]);
    loop {
        match stream.read(&mut block) {
            Ok(0) => return false,
            Ok(length) => seen.extend_from_slice(&block[..length]),
            Err(error) if error.kind() == ErrorKind::ConnectionReset => return false,
            Err(error) => panic!("{error}"),
        }
        if seen.windows(wanted.len()).any(|window| window == wanted) {
            return true;
        }
    }
}

#[test]
fn a_network_is_let_in_and_shut_out_while_the_stream_goes_on() {
    let mut running = start();
    let mut publisher = running.publish("live/show");
    headers().iter().for_each(|tag| publisher.send(tag));
    let (http, rtmp) = (running.http(), running.rtmp());
    let (from_afar, own) = (SocketAddr::new(own(), http.port()), own());
    let mut here = viewer(http);
    assert!(TcpStream::connect(from_afar).is_err(), "closed at first");

    let everywhere = |port| Listen { or_next: false, ..Listen::everywhere(port) };
    running.server.move_http(everywhere(http.port()), Listen::everywhere(8189)).unwrap();
    // The new address includes IPv6 if the system supports it.
    let moved = running.http();
    assert!(moved.ip().is_unspecified() && moved.port() == http.port(), "{moved}");
    assert_eq!(running.rtmp(), rtmp);
    assert!(web::ask(from_afar, "GET", "/healthz").contains("200 OK"));
    let mut afar = viewer(from_afar);
    assert!(TcpStream::connect((own, rtmp.port())).is_err(), "RTMP stays closed");
    running.server.move_rtmp(everywhere(rtmp.port())).unwrap();
    let mut player = Client::play(&format!("rtmp://{own}:{}/live/show", rtmp.port()));
    wait_for("three viewers", LIMIT, || running.viewers() == 3);
    publisher.send(&sound(1, 5_000));
    assert!(gets(&mut here, &[0xAF, 1, 5_000_u32 as u8, 9]), "who watches here stays");
    assert!(gets(&mut afar, &[0xAF, 1, 5_000_u32 as u8, 9]));

    let here_only = |port| Listen { or_next: false, ..Listen::loopback(port) };
    running.server.move_http(here_only(http.port()), Listen::loopback(8189)).unwrap();
    running.server.move_rtmp(here_only(rtmp.port())).unwrap();
    assert_eq!((running.http(), running.rtmp()), (http, rtmp));
    assert!(!gets(&mut afar, &[0; 64]), "a viewer on another computer is disconnected");
    while player.next().is_some() {}
    assert!(TcpStream::connect(from_afar).is_err());
    publisher.send(&sound(1, 6_000));
    assert!(gets(&mut here, &[0xAF, 1, 6_000_u32 as u8, 9]), "nobody here is");
    wait_for("the viewer here", LIMIT, || running.viewers() == 1);
    assert!(running.ask("GET", "/healthz").contains("200 OK"));
}

#[test]
fn a_port_that_cannot_open_stays_where_it_was() {
    let any = Listen::exactly("127.0.0.1:0".parse().unwrap());
    let mut running = start_with(|config| config.webrtc = Some(any));
    let port = running.http().port();
    // Another socket uses the port at one address, so the server cannot open it at all addresses.
    let _other = TcpListener::bind((own(), port)).unwrap();
    let webrtc = running.server.addresses().webrtc;
    let everywhere = Listen { or_next: false, ..Listen::everywhere(port) };
    let error = running.server.move_http(everywhere, Listen::everywhere(0)).unwrap_err();
    assert!(error.to_string().contains(&port.to_string()), "{error}");
    assert_eq!(running.server.addresses().webrtc, webrtc);
    assert!(running.ask("GET", "/healthz").contains("200 OK"));
}

#[test]
fn a_port_that_could_not_open_anywhere_opens_at_the_next_move() {
    let mut running = start();
    let was = running.http();
    let other = TcpListener::bind((own(), 0)).unwrap();
    let taken = Listen::exactly(other.local_addr().unwrap());
    // Another program takes the previous port as soon as the server closes it.
    let taker = std::thread::spawn(move || {
        loop {
            if let Ok(listener) = TcpListener::bind(was) {
                return listener;
            }
        }
    });
    wait_for("the previous port to be lost", LIMIT, || {
        running.server.move_http(taken, Listen::loopback(0)).unwrap_err();
        running.server.addresses().http.is_none()
    });
    running.server.move_http(taken, Listen::loopback(0)).unwrap_err();
    drop(taker.join().unwrap());
    running.server.move_http(Listen::exactly(was), Listen::loopback(0)).unwrap();
    assert_eq!(running.http(), was);
    assert!(running.ask("GET", "/healthz").contains("200 OK"));
}
