//! Which workers a supervisor believes, and how far it has heard them.
//!
//! A run of a worker is believed once it has answered the challenge that this process has for it. The
//! challenge is not kept: it follows from this process's boot, the worker's, and the environment's
//! `epoch`, which grows with each run that joins. So what an earlier run of a worker said, or what was
//! said to an earlier run of the supervisor, answers nothing any more, and nobody can fill the memory
//! by pretending to begin. Of a run that joined, sequence numbers ascend: each message counts once.

use crate::envelope::{Envelope, Kind};
use crate::keys::{Keys, Mark};
use crate::said::{Dead, Refusal};
use lodge_model::{
    AppId, BootId, EnvironmentName, Figures, FromWorkers, Heartbeat, Load, Registration, Report,
};
use std::collections::HashMap;

/// What follows from a message.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Hearing {
    /// To be told on.
    pub(crate) told: Option<FromWorkers>,
    /// Whose run must be greeted before it is believed.
    pub(crate) greet: Option<BootId>,
    /// Whether messages between the last one and this one are missing.
    pub(crate) gap: bool,
}

/// All environments that were heard of.
#[derive(Default)]
pub(crate) struct Peers(HashMap<EnvironmentName, Peer>);

#[derive(Default)]
struct Peer {
    /// How many runs joined.
    epoch: u64,
    current: Option<Current>,
}

/// The run that joined last and has not left.
struct Current {
    registration: Registration,
    challenge: Mark,
    sequence: u64,
    /// The sequence number of the newest report of each app.
    reports: HashMap<AppId, u64>,
}

impl Peers {
    /// What a run of a worker must answer: the challenge it joined with, or the one it could join with.
    pub(crate) fn challenge(
        &self,
        keys: &Keys,
        own: BootId,
        environment: &EnvironmentName,
        boot: BootId,
    ) -> Mark {
        let peer = self.0.get(environment);
        let current = peer.and_then(|peer| peer.current.as_ref());
        match current {
            Some(current) if current.registration.boot == boot => current.challenge,
            _ => {
                let epoch = peer.map_or(0, |peer| peer.epoch);
                keys.challenge(own, environment, boot, epoch.saturating_add(1))
            }
        }
    }

    /// Whether this run has joined.
    pub(crate) fn has_joined(&self, environment: &EnvironmentName, boot: BootId) -> bool {
        let current = self
            .0
            .get(environment)
            .and_then(|peer| peer.current.as_ref());
        current.is_some_and(|current| current.registration.boot == boot)
    }

    /// The runs that have joined.
    pub(crate) fn joined(&self) -> Vec<(EnvironmentName, BootId)> {
        let current = |(name, peer): (&EnvironmentName, &Peer)| {
            let current = peer.current.as_ref()?;
            Some((name.clone(), current.registration.boot))
        };
        self.0.iter().filter_map(current).collect()
    }

    /// Takes a genuine message of an environment.
    pub(crate) fn hear(
        &mut self,
        keys: &Keys,
        own: BootId,
        environment: &EnvironmentName,
        message: &Envelope,
    ) -> Hearing {
        let challenge = self.challenge(keys, own, environment, message.boot);
        let joined = self.has_joined(environment, message.boot);
        if !message.marks.contains(&challenge) {
            return greet(message.boot);
        }
        if !joined {
            return match message.kind {
                Kind::Registration => self.join(environment, message, challenge),
                _ => greet(message.boot),
            };
        }
        let Some(current) = self
            .0
            .get_mut(environment)
            .and_then(|peer| peer.current.as_mut())
        else {
            return Hearing::default();
        };
        if message.sequence <= current.sequence {
            return Hearing::default();
        }
        let gap = message.sequence > current.sequence.saturating_add(1);
        current.sequence = message.sequence;
        let told = current.take(environment, message);
        if message.kind == Kind::Left
            && let Some(peer) = self.0.get_mut(environment)
        {
            peer.current = None;
        }
        Hearing {
            told,
            greet: None,
            gap,
        }
    }

    fn join(
        &mut self,
        environment: &EnvironmentName,
        message: &Envelope,
        challenge: Mark,
    ) -> Hearing {
        let Some(registration) = own_registration(environment, message) else {
            return Hearing::default();
        };
        let peer = self.0.entry(environment.clone()).or_default();
        peer.epoch = peer.epoch.saturating_add(1);
        peer.current = Some(Current {
            registration: registration.clone(),
            challenge,
            sequence: message.sequence,
            reports: HashMap::new(),
        });
        Hearing {
            told: Some(FromWorkers::Joined(registration)),
            ..Hearing::default()
        }
    }

    /// The report that a kept message holds, if it is the joined run's and none older than what was
    /// heard.
    pub(crate) fn kept_report(
        &mut self,
        environment: &EnvironmentName,
        app: &AppId,
        message: &Envelope,
    ) -> Option<Report> {
        let current = self.0.get_mut(environment)?.current.as_mut()?;
        let genuine = message.kind == Kind::Report
            && message.boot == current.registration.boot
            && message.marks.contains(&current.challenge);
        let report: Report = genuine.then(|| message.read()).flatten()?;
        let newest = current.reports.entry(app.clone()).or_default();
        let fits = report.app == *app
            && report.observed.environment == *environment
            && message.sequence >= *newest;
        if fits {
            *newest = message.sequence;
        }
        fits.then_some(report)
    }
}

impl Current {
    /// What is told on of a message; `None`: nothing.
    fn take(&mut self, environment: &EnvironmentName, message: &Envelope) -> Option<FromWorkers> {
        let boot = message.boot;
        let environment = environment.clone();
        match message.kind {
            Kind::Registration => {
                let again = own_registration(&environment, message)?;
                let changed = again != self.registration;
                self.registration = again.clone();
                changed.then_some(FromWorkers::Joined(again))
            }
            Kind::Beat => {
                let load: Load = message.read()?;
                Some(FromWorkers::Beat(Heartbeat {
                    environment,
                    boot,
                    load,
                }))
            }
            Kind::Left => Some(FromWorkers::Left { environment, boot }),
            Kind::Report => {
                let report: Report = message.read()?;
                self.reports.insert(report.app.clone(), message.sequence);
                (report.observed.environment == environment).then_some(FromWorkers::Report(report))
            }
            Kind::Figures => {
                let figures: Figures = message.read()?;
                Some(FromWorkers::Figures {
                    environment,
                    figures,
                })
            }
            Kind::Refused => {
                let Refusal { reason } = message.read()?;
                Some(FromWorkers::Refused {
                    environment,
                    reason,
                })
            }
            Kind::DeadLetter => {
                let Dead { app, reason } = message.read()?;
                Some(FromWorkers::DeadLetter {
                    environment,
                    app,
                    reason,
                })
            }
            Kind::Look | Kind::Greeting | Kind::Claimed | Kind::Holder => None,
        }
    }
}

fn greet(boot: BootId) -> Hearing {
    Hearing {
        greet: Some(boot),
        ..Hearing::default()
    }
}

/// The registration in a message, if it is of the environment and run that say it.
fn own_registration(environment: &EnvironmentName, message: &Envelope) -> Option<Registration> {
    let registration: Registration = message.read()?;
    let own = registration.environment == *environment && registration.boot == message.boot;
    own.then_some(registration)
}
