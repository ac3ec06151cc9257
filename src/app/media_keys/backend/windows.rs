//! The media keys, the volume flyout and the lock screen of Windows (`SystemMediaTransportControls`).
//!
//! The controls belong to a hidden window of this thread, so that the keys also work while another window has the
//! keyboard focus. Windows reports presses on a thread of its own.
#![allow(unsafe_code)]

use std::ffi::OsStr;
use std::ptr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use windows::Foundation::{TimeSpan, TypedEventHandler};
use windows::Media::{
    MediaPlaybackStatus, MediaPlaybackType, PlaybackPositionChangeRequestedEventArgs,
    SystemMediaTransportControls, SystemMediaTransportControlsButton,
    SystemMediaTransportControlsButtonPressedEventArgs,
    SystemMediaTransportControlsTimelineProperties,
};
use windows::Win32::System::WinRT::ISystemMediaTransportControlsInterop;
use windows::core::{HSTRING, Ref, factory};
use windows_sys::Win32::Foundation::HWND;
use windows_sys::Win32::UI::WindowsAndMessaging::{CreateWindowExW, DestroyWindow};

use crate::app::media_keys::shared::Shared;
use crate::app::media_keys::state::{MediaKeyRequest, State, Status};
use crate::base::Stop;
use crate::platform::{messages, wide};

/// Interval between checks for changes.
const POLL_INTERVAL_MILLIS: u32 = 150;
/// Interval between reports of the position. Windows counts on by itself.
const POSITION_INTERVAL: Duration = Duration::from_secs(5);
/// The distance of one press of the keys for fast forward and rewind, in microseconds.
const STEP_MICROS: i64 = 10_000_000;

/// Shows the controls until `stop` is set.
pub(in crate::app::media_keys) fn serve(shared: &Arc<Shared>, stop: &Stop) {
    let controls = match Controls::open(shared) {
        Ok(controls) => controls,
        Err(error) => {
            tracing::debug!(%error, "media keys do not work");
            // The window starts no other thread while this one exists.
            while !stop.wait(Duration::from_secs(3_600)) {}
            return;
        }
    };
    let mut shown: Option<(State, Instant)> = None;
    while !stop.is_set() {
        messages::wait(POLL_INTERVAL_MILLIS, |_| {});
        let state = shared.state.lock().clone();
        let is_due = shown
            .as_ref()
            .is_none_or(|(before, at)| is_news(before, &state) || at.elapsed() > POSITION_INTERVAL);
        if is_due {
            if let Err(error) = controls.tell(&state) {
                tracing::debug!(%error, "a message to the media controls failed");
            }
            shown = Some((state, Instant::now()));
        }
    }
}

/// Returns true if there is more to tell than that time has passed.
fn is_news(before: &State, now: &State) -> bool {
    let still = State { position: before.position, volume: before.volume, ..now.clone() };
    still != *before || now.position.abs_diff(before.position) > 2 * POSITION_INTERVAL
}

/// The controls, and the hidden window to which they belong.
struct Controls {
    controls: SystemMediaTransportControls,
    window: HWND,
    /// The numbers of the two functions that receive presses.
    tokens: [i64; 2],
}

impl Controls {
    fn open(shared: &Arc<Shared>) -> windows::core::Result<Self> {
        let makes =
            factory::<SystemMediaTransportControls, ISystemMediaTransportControlsInterop>()?;
        // Every system has this class.
        let class = wide(OsStr::new("STATIC"));
        let (name, nothing) = (class.as_ptr(), ptr::null_mut());
        // SAFETY: the name ends with a zero.
        let window = unsafe {
            CreateWindowExW(0, name, name, 0, 0, 0, 0, 0, nothing, nothing, nothing, ptr::null())
        };
        if window.is_null() {
            return Err(windows::core::Error::from_thread());
        }
        let handle = windows::Win32::Foundation::HWND(window);
        // SAFETY: a plain call.
        let controls = match unsafe { makes.GetForWindow(handle) } {
            Ok(controls) => controls,
            Err(error) => {
                // SAFETY: the window belongs to this thread.
                unsafe { DestroyWindow(window) };
                return Err(error);
            }
        };
        // From here on, `drop` removes the window.
        let mut this = Self { controls, window, tokens: [0; 2] };
        this.listen(shared)?;
        Ok(this)
    }

    fn listen(&mut self, shared: &Arc<Shared>) -> windows::core::Result<()> {
        let asks = Arc::clone(shared);
        let pressed = TypedEventHandler::new(
            move |_: Ref<'_, SystemMediaTransportControls>,
                  press: Ref<'_, SystemMediaTransportControlsButtonPressedEventArgs>| {
                let button = press.ok()?.Button()?;
                if let Some(ask) = request_of(button) {
                    asks.ask(ask);
                }
                Ok(())
            },
        );
        let asks = Arc::clone(shared);
        let moved = TypedEventHandler::new(
            move |_: Ref<'_, SystemMediaTransportControls>,
                  place: Ref<'_, PlaybackPositionChangeRequestedEventArgs>| {
                let place = place.ok()?.RequestedPlaybackPosition()?;
                let track = asks.state.lock().track;
                asks.ask(MediaKeyRequest::SetPosition { track, micros: place.Duration / 10 });
                Ok(())
            },
        );
        let controls = &self.controls;
        self.tokens =
            [controls.ButtonPressed(&pressed)?, controls.PlaybackPositionChangeRequested(&moved)?];
        controls.SetIsPlayEnabled(true)?;
        controls.SetIsPauseEnabled(true)?;
        controls.SetIsStopEnabled(true)?;
        controls.SetIsEnabled(true)
    }

    fn tell(&self, state: &State) -> windows::core::Result<()> {
        let controls = &self.controls;
        controls.SetPlaybackStatus(match state.status {
            Status::Playing => MediaPlaybackStatus::Playing,
            Status::Paused => MediaPlaybackStatus::Paused,
            Status::Stopped => MediaPlaybackStatus::Stopped,
        })?;
        let has_neighbours = state.tiles.len() > 1;
        controls.SetIsNextEnabled(has_neighbours)?;
        controls.SetIsPreviousEnabled(has_neighbours)?;
        controls.SetIsFastForwardEnabled(state.can_seek())?;
        controls.SetIsRewindEnabled(state.can_seek())?;
        let shown = controls.DisplayUpdater()?;
        shown.SetType(MediaPlaybackType::Video)?;
        shown.VideoProperties()?.SetTitle(&HSTRING::from(state.title.as_str()))?;
        shown.Update()?;
        let timeline = SystemMediaTransportControlsTimelineProperties::new()?;
        let end = span(state.length.unwrap_or_default());
        timeline.SetEndTime(end)?;
        timeline.SetMaxSeekTime(end)?;
        timeline.SetPosition(span(state.position.min(state.length.unwrap_or_default())))?;
        controls.UpdateTimelineProperties(&timeline)
    }
}

impl Drop for Controls {
    fn drop(&mut self) {
        let [pressed, moved] = self.tokens;
        let _ = self.controls.SetIsEnabled(false);
        let _ = self.controls.RemoveButtonPressed(pressed);
        let _ = self.controls.RemovePlaybackPositionChangeRequested(moved);
        // SAFETY: the window belongs to this value and to this thread.
        unsafe { DestroyWindow(self.window) };
    }
}

/// Returns what a key means.
fn request_of(button: SystemMediaTransportControlsButton) -> Option<MediaKeyRequest> {
    Some(match button {
        SystemMediaTransportControlsButton::Play => MediaKeyRequest::Play,
        SystemMediaTransportControlsButton::Pause => MediaKeyRequest::Pause,
        SystemMediaTransportControlsButton::Stop => MediaKeyRequest::Stop,
        SystemMediaTransportControlsButton::Next => MediaKeyRequest::Next,
        SystemMediaTransportControlsButton::Previous => MediaKeyRequest::Previous,
        SystemMediaTransportControlsButton::FastForward => MediaKeyRequest::Seek(STEP_MICROS),
        SystemMediaTransportControlsButton::Rewind => MediaKeyRequest::Seek(-STEP_MICROS),
        _ => return None,
    })
}

/// Converts to units of 100 ns.
fn span(duration: Duration) -> TimeSpan {
    TimeSpan { Duration: i64::try_from(duration.as_nanos() / 100).unwrap_or(i64::MAX) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_mean_what_the_same_requests_of_other_desktops_mean() {
        let of = request_of;
        assert_eq!(of(SystemMediaTransportControlsButton::Pause), Some(MediaKeyRequest::Pause));
        assert_eq!(
            of(SystemMediaTransportControlsButton::Rewind),
            Some(MediaKeyRequest::Seek(-STEP_MICROS))
        );
        assert_eq!(of(SystemMediaTransportControlsButton::Record), None);
        assert_eq!(of(SystemMediaTransportControlsButton(99)), None);
    }

    #[test]
    fn time_that_passes_is_no_news() {
        let at = |seconds| State { position: Duration::from_secs(seconds), ..State::default() };
        assert!(!is_news(&at(5), &at(6)));
        assert!(is_news(&at(5), &at(60)) && is_news(&at(60), &at(5)), "a jump");
        assert!(is_news(&at(5), &State { status: Status::Paused, ..at(5) }));
        assert!(!is_news(&at(5), &State { volume: 0.5, ..at(5) }), "Windows has its own volume");
    }

    #[test]
    fn spans_have_units_of_100_nanoseconds() {
        assert_eq!(span(Duration::from_millis(3)).Duration, 30_000);
        assert_eq!(span(Duration::MAX).Duration, i64::MAX);
    }
}
