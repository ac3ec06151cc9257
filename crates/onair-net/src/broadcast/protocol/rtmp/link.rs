//! A connection to an RTMP server.

use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::BoxFuture;

use crate::base::Timestamp;
use crate::broadcast::hub::sequence_headers::SequenceHeaders;
use crate::broadcast::hub::shared_packet::SharedPacket;
use crate::broadcast::protocol::link::{
    CodecSupport, Link, LinkEvent, LinkReading, Redirect, SentRendition, StreamStart, time_ms,
};
use crate::broadcast::protocol::rtmp::codecs;
use crate::broadcast::protocol::rtmp::sent_configs::SentConfigs;
use crate::media::{
    AudioCodec, BitsPerSecond, ExtraRendition, ExtraTrack, Rendition, StreamConfig, Track,
};
use crate::net::Error;
use crate::net::rtmp::{Client, Progress};
use crate::wire::codec::Colors;
use crate::wire::container::flv;
use crate::wire::rtmp::client::Event;
use crate::wire::rtmp::command::caps_ex;
use crate::wire::rtmp::status::Status;
use crate::wire::rtmp::url::Url;

/// The connection, with the headers that the server has.
pub(super) struct RtmpLink {
    client: Client,
    /// The user's URL.
    home: Url,
    /// The URL of the connection.
    url: Url,
    /// The headers of the stream.
    head: SequenceHeaders,
    /// The rendition whose config the server has.
    sent_rendition: Option<Arc<Rendition>>,
    sent_configs: SentConfigs,
    /// The extra audio tracks, each with its number in multitrack bodies.
    extras: Vec<(ExtraTrack, u8)>,
    /// The further renditions with the config that the server has, in the order of their numbers from
    /// 1 in multitrack bodies.
    renditions: Vec<SentRendition>,
}

impl RtmpLink {
    pub fn new(client: Client, home: Url, url: Url) -> Self {
        let head = SequenceHeaders::of(&StreamConfig::default());
        let (sent_rendition, sent_configs) = (None, SentConfigs::default());
        let (extras, renditions) = Default::default();
        Self { client, home, url, head, sent_rendition, sent_configs, extras, renditions }
    }

    fn send_configs(&mut self, time_ms: u32, configs: Vec<(Track, Bytes)>) {
        let session = self.client.session();
        for (track, body) in configs {
            match track {
                Track::Video => session.send_video(time_ms, body),
                Track::Audio => session.send_audio(time_ms, body),
                Track::Extra(_) | Track::Rendition(_) => continue,
            };
        }
    }

    /// Sends the new config when the frames change their size or rendition, because they cannot be
    /// decoded without it.
    fn other_frames(&mut self, packet: &SharedPacket, time_ms: u32) {
        let Some(new) = packet.rendition.as_ref().filter(|_| packet.starts_gop()) else { return };
        let known = match &self.sent_rendition {
            Some(sent) => sent.video == new.video,
            None => self.head.video() == Some(&new.video),
        };
        self.sent_rendition = Some(Arc::clone(new));
        if known {
            return;
        }
        let head = self.head.with(new);
        let colors = flv::color_body(&new.video, Colors::default());
        let session = self.client.session();
        session.send_metadata(head.metadata);
        for (track, body) in head.config_bodies {
            if track == Track::Video {
                session.send_video(time_ms, body);
            }
        }
        if let Some(body) = colors {
            session.send_video(time_ms, body);
        }
    }

    /// Returns the event for the publisher, if any.
    fn event(&self, event: Event) -> Option<LinkEvent> {
        match event {
            Event::Status(status) => {
                tracing::debug!(
                    code = status.code,
                    description = status.description,
                    "message from the server"
                );
                (!is_routine(&status)).then_some(LinkEvent::Message(status))
            }
            Event::ReconnectRequest { tc_url, .. } => {
                let Some(next) = self.home.asked_to(&self.url, tc_url.as_deref()) else {
                    tracing::warn!("ignoring a reconnect request with an unusable address");
                    return None;
                };
                let with_password = next.credentials.is_some() || self.home.credentials.is_none();
                let is_new = next.host != self.url.host;
                let redirect = is_new.then(|| Redirect { to: next.to_string(), with_password });
                Some(LinkEvent::Elsewhere { to: next.into(), redirect })
            }
            _ => None,
        }
    }
}

impl Link for RtmpLink {
    fn peer(&self) -> &str {
        self.client.peer()
    }

    fn codecs(&self, head: &SequenceHeaders) -> CodecSupport {
        codecs::judge(&head.config_bodies, self.client.enhanced())
    }

    fn takes_extra_tracks(&self) -> bool {
        self.client.enhanced().caps_ex & caps_ex::MULTITRACK != 0
    }

    /// Sends onMetaData and the sequence headers.
    fn begin(&mut self, start: &StreamStart<'_>) {
        self.head = start.head.clone();
        self.sent_rendition.clone_from(&start.rendition);
        let changed = start.rendition.as_ref().filter(|it| self.head.video() != Some(&it.video));
        let head = changed.map_or_else(|| self.head.clone(), |it| self.head.with(it));
        let configs = self.sent_configs.begin(start.first, &head);
        // The colors of a file are among its configs.
        let colors = head.video().and_then(|video| flv::color_body(video, Colors::default()));
        self.client.session().send_metadata(head.metadata);
        self.send_configs(start.time_ms, configs);
        if let Some(body) = colors {
            self.client.session().send_video(start.time_ms, body);
        }
        // The program's audio is track 0.
        self.extras = start.extras.iter().map(|it| it.track).zip(1..).collect();
        for (extra, number) in start.extras.iter().zip(1..) {
            if let Some(body) = flv::audio_config_body(&extra.config, number) {
                self.client.session().send_audio(start.time_ms, body);
            }
        }
        self.renditions = start.renditions.to_vec();
        for (sent, number) in self.renditions.iter().zip(1..) {
            if let Some(body) = flv::video_config_body(&sent.video, number) {
                self.client.session().send_video(start.time_ms, body);
            }
        }
    }

    fn send(&mut self, packet: &SharedPacket, origin: Timestamp) {
        let time_ms = time_ms(origin, packet.dts);
        self.other_frames(packet, time_ms);
        let configs = self.sent_configs.before(packet, &self.head);
        self.send_configs(time_ms, configs);
        let session = self.client.session();
        match packet.track {
            Track::Video => session.send_video(time_ms, packet.flv_body().clone()),
            Track::Audio => session.send_audio(time_ms, packet.flv_body().clone()),
            Track::Extra(track) => match extra_body(&self.extras, track, &packet.data) {
                Some(body) => session.send_audio(time_ms, body),
                None => return,
            },
            Track::Rendition(track) => {
                let bodies = rendition_bodies(&mut self.renditions, track, packet);
                bodies.into_iter().all(|body| session.send_video(time_ms, body))
            }
        };
    }

    fn queued_bytes(&self) -> usize {
        self.client.queued_bytes()
    }

    fn poll(
        &mut self,
        cx: &mut Context<'_>,
        room: Option<usize>,
    ) -> Poll<Result<LinkEvent, Error>> {
        loop {
            let event = match ready!(self.client.poll(cx, room))? {
                Progress::Room => Some(LinkEvent::Room),
                Progress::Event(event) => self.event(event),
            };
            if let Some(event) = event {
                return Poll::Ready(Ok(event));
            }
        }
    }

    fn reading(&self) -> LinkReading {
        let stream = self.client.stream();
        LinkReading {
            written: self.client.written_bytes(),
            unaccepted: stream.unsent_bytes().unwrap_or(0),
            queued: self.client.queued_bytes() as u64,
            since_ack: stream.since_last_ack(),
        }
    }

    fn round_trip(&self) -> Option<Duration> {
        self.client.stream().round_trip()
    }

    fn has_way(&self) -> bool {
        self.client.stream().has_way()
    }

    fn is_local_there(&self) -> bool {
        self.client.stream().is_local_there()
    }

    fn is_within_machine(&self) -> bool {
        self.client.stream().is_within_machine()
    }

    fn set_user_timeout(&self, limit: Duration) {
        self.client.stream().set_user_timeout(limit);
    }

    fn set_link_rate(&mut self, rate: BitsPerSecond) {
        self.client.session().set_link_rate(rate);
    }

    fn discard_queued_media(&mut self) {
        self.client.session().discard_queued_media();
    }

    fn close(self: Box<Self>, limit: Duration) -> BoxFuture<'static, ()> {
        Box::pin(async move {
            self.client.close(limit).await;
        })
    }
}

/// Returns the multitrack body of an extra track, or `None` if the server does not get the track.
fn extra_body(sent: &[(ExtraTrack, u8)], track: ExtraTrack, data: &[u8]) -> Option<Bytes> {
    let (_, number) = sent.iter().find(|(its, _)| *its == track)?;
    let mut body = flv::audio_front(AudioCodec::Aac, *number, data)?;
    body.extend_from_slice(data);
    Some(body.freeze())
}

/// Returns the multitrack bodies of a frame of a further rendition, after a new config if its encoder
/// changed. They are empty if the server does not get the rendition.
fn rendition_bodies(
    sent: &mut [SentRendition],
    track: ExtraRendition,
    packet: &SharedPacket,
) -> Vec<Bytes> {
    let its = sent.iter_mut().zip(1..).find(|(its, _)| its.track == track);
    let Some((its, number)) = its else { return Vec::new() };
    let new = packet.rendition.as_ref().filter(|new| packet.keyframe && new.video != its.video);
    let config = new.and_then(|new| {
        its.video.clone_from(&new.video);
        flv::video_config_body(&its.video, number)
    });
    let frame = flv::video_track_body(its.video.codec, packet, number);
    config.into_iter().chain(frame).collect()
}

/// Returns true if this is a routine server message without information for the user.
fn is_routine(status: &Status) -> bool {
    const ROUTINE_CODES: [&str; 4] = [
        "NetStream.Publish.Start",
        "NetStream.Unpublish.Success",
        "NetStream.FCPublish.Start",
        "NetConnection.Connect.Success",
    ];
    ROUTINE_CODES.contains(&status.code.as_str())
}
