//! The simulated faults of a connection: applies due faults, and decides when the connection's task
//! must check again.

use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::AsyncWrite as _;

use crate::base::Timestamp;
use crate::server::event::Event as ServerEvent;
use crate::server::fault::{FAULT_TEXT, Fault, FaultAction, Phase, TriggeredFault, Verdict};
use crate::server::rtmp::connection::{Connection, Error};
use crate::server::rtmp::connection_io::Io;

/// Receive buffer in bytes while a fault slows a connection down: small, so that peers notice.
const FAULT_RECEIVE_BUFFER_BYTES: usize = 16 << 10;

impl Connection {
    /// Returns the answer to a request, if a fault determines it.
    pub fn verdict(&self, phase: Phase) -> Option<Verdict> {
        let mut io = self.io.lock();
        let generation = io.lab.generation;
        io.lab.plan.as_mut()?.verdict(phase, |index, fault| self.claim(generation, index, fault))
    }

    /// Applies changed faults of the server. Delayed data stays delayed, or is handled now if
    /// no fault remains: without it, the session could not read the data that follows.
    #[cold]
    pub(super) fn enter_lab(&self, io: &mut Io) -> Result<(), Error> {
        let now = self.registry.clock.now();
        let before = io.lab.plan.take();
        (io.lab.generation, io.lab.plan) = self.registry.lab.plan(self.id, io.phase(), now);
        io.lab.wake_at = None;
        io.session.set_acknowledging(true);
        let Some(mut before) = before else { return Ok(()) };
        if before.late_until(now).is_some() {
            io.session.restart_deadline(now);
        }
        if let Some(plan) = &mut io.lab.plan {
            plan.inherit(*before);
            return Ok(());
        }
        while let Some(bytes) = before.late(Timestamp::MAX) {
            io.session.handle_input(now, &bytes)?;
            io.pump(false);
        }
        Ok(())
    }

    fn claim(&self, generation: u64, index: usize, fault: &Fault) -> bool {
        let claimed = self.registry.lab.claim(generation, index);
        if claimed {
            let (fault, phase) = (fault.to_string(), fault.phase);
            let struck = TriggeredFault { fault, phase, address: self.peer, id: self.id };
            self.registry.tell(ServerEvent::Fault(struck));
        }
        claimed
    }

    /// Applies due faults. Returns the result of [`Connection::poll`], or `None` to continue.
    #[cold]
    pub(super) fn suffer(
        &self,
        io: &mut Io,
        cx: &mut Context<'_>,
    ) -> Option<Poll<Result<(), Error>>> {
        let now = self.registry.clock.now();
        let phase = io.phase();
        let generation = io.lab.generation;
        let plan = io.lab.plan.as_mut()?;
        plan.reach(phase, now);
        let strikes = plan.strikes(now, |index, fault| self.claim(generation, index, fault));
        for strike in strikes {
            match strike {
                FaultAction::Reset => {
                    io.out.stream.reset_on_drop();
                    return Some(Poll::Ready(Err(Error::Fault("reset"))));
                }
                FaultAction::Close => return Some(Poll::Ready(Err(Error::Fault("closed")))),
                FaultAction::HalfClose => {
                    self.flush(io);
                    io.lab.mute = true;
                    let _ = Pin::new(&mut io.out.stream).poll_shutdown(cx);
                }
                FaultAction::Garbage { bytes, deaf } => {
                    io.out.queue.push_control(bytes);
                    self.flush(io);
                    (io.lab.deaf, io.lab.mute) = (deaf, deaf);
                }
                FaultAction::Reconnect(url) => {
                    io.session.request_reconnect(Some(&url), FAULT_TEXT);
                    io.pump(false);
                }
                FaultAction::NoAck => io.session.set_acknowledging(false),
                FaultAction::Hold => io.out.stream.set_receive_buffer(FAULT_RECEIVE_BUFFER_BYTES),
            }
        }
        if io.lab.is_stalled(now) {
            return Some(self.wait(io));
        }
        while let Some(bytes) = io.lab.plan.as_mut().and_then(|plan| plan.late(now)) {
            if let Err(error) = io.session.handle_input(now, &bytes) {
                return Some(Poll::Ready(Err(error.into())));
            }
            io.pump(false);
        }
        None
    }

    /// Returns true while the server does not handle data as soon as the data arrives.
    pub(super) fn reads_late(&self, now: Timestamp) -> bool {
        self.io.lock().lab.plan.as_ref().is_some_and(|plan| plan.late_until(now).is_some())
    }

    /// Waits; if the faults have another deadline, the task must check it. The client's time for its
    /// next step begins when the server reads again.
    pub(super) fn wait(&self, io: &mut Io) -> Poll<Result<(), Error>> {
        let Some(plan) = &io.lab.plan else { return Poll::Pending };
        let now = self.registry.clock.now();
        let (wake_at, late_until) = (plan.wake_at(now), plan.late_until(now));
        if let Some(until) = late_until {
            io.session.restart_deadline(until);
            io.pump(false);
        }
        if std::mem::replace(&mut io.lab.wake_at, wake_at) == wake_at {
            return Poll::Pending;
        }
        Poll::Ready(Ok(()))
    }
}
