//! Where one app runs on workers: what each was told, and what each says.
//!
//! Nothing here waits or sends. [`Remotes::next`] says what to tell whom; whoever told it says so with
//! [`Remotes::told`]; what comes back goes to [`Remotes::hear`]. An app starts in its environments one
//! after another, since the first start may write the data that the others find; it stops in all of
//! them at once.

mod place;

pub(crate) use place::{Place, Wanted};
use place::{Told, place_wanted};

use crate::clock::now_ms;
use lodge_model::{DataPolicy, EnvironmentName, Goal, Observed, Report, Revision, Status, Tally};
use std::time::Instant;

/// Something to tell an environment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Telling {
    pub(crate) environment: EnvironmentName,
    pub(crate) wanted: Wanted,
    pub(crate) revision: Revision,
    /// When it began to be told.
    pub(crate) begun: Instant,
}

/// What the supervisor knows of an environment, as far as one app is concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Condition {
    /// It answers.
    pub(crate) online: bool,
    /// Its apps are to leave it or stop.
    pub(crate) draining: bool,
}

/// How far an app is in all of its environments together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Standing {
    /// Something is under way, or waits for an environment that does not answer.
    UnderWay,
    /// Everywhere as it should be.
    Done,
    /// As far as it goes, and not as it should be.
    Mixed(String),
}

/// One app's environments beyond this process, in the order in which it starts in them.
#[derive(Debug, Default)]
pub(crate) struct Remotes {
    places: Vec<Place>,
    /// Counts within a generation and term.
    step: u64,
}

impl Remotes {
    pub(crate) fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    pub(crate) fn places(&self) -> &[Place] {
        &self.places
    }

    pub(crate) fn place_mut(&mut self, environment: &EnvironmentName) -> Option<&mut Place> {
        let mut places = self.places.iter_mut();
        places.find(|place| place.environment == *environment)
    }

    /// Takes the environments that the app is placed in; those it was in before have to leave it.
    pub(crate) fn place(&mut self, environments: &[EnvironmentName]) {
        for place in &mut self.places {
            place.leaving = !environments.contains(&place.environment);
        }
        for environment in environments {
            if self.place_mut(environment).is_none() {
                self.places.push(Place::new(environment.clone()));
            }
        }
        let order = |place: &Place| {
            let at = environments
                .iter()
                .position(|name| *name == place.environment);
            at.unwrap_or(usize::MAX)
        };
        self.places.sort_by_key(order);
    }

    /// Adds an environment that has something of the app and should not.
    pub(crate) fn evict(&mut self, environment: &EnvironmentName) {
        if self.place_mut(environment).is_none() {
            let mut place = Place::new(environment.clone());
            place.leaving = true;
            self.places.push(place);
        }
    }

    /// What was seen before this process began: shown until the environment reports.
    pub(crate) fn remember(&mut self, before: Observed) {
        if let Some(place) = self.place_mut(&before.environment) {
            place.observed = Observed {
                status: Status::Unknown,
                message: Some("waits for the environment to report".into()),
                version: None,
                ..before
            };
        }
    }

    /// What is shown, environment by environment.
    pub(crate) fn observed(&self) -> Vec<Observed> {
        let shown = self.places.iter().filter(|place| !place.leaving);
        shown.map(|place| place.observed.clone()).collect()
    }

    /// What is shown of one, if the app is placed there.
    pub(crate) fn status_in(&self, environment: &EnvironmentName) -> Option<Status> {
        let mut shown = self.places.iter().filter(|place| !place.leaving);
        let place = shown.find(|place| place.environment == *environment)?;
        Some(place.observed.status)
    }

    /// What to tell whom now, if there is something.
    pub(crate) fn next(
        &mut self,
        wanted: Wanted,
        term: i64,
        condition: impl Fn(&EnvironmentName) -> Condition,
    ) -> Option<Telling> {
        let last = self.places.len().saturating_sub(1);
        // What the app leaves serves it until it is served elsewhere.
        let staying = self.places.iter().filter(|place| !place.leaving);
        let moved = wanted.goal != Goal::Running || staying.clone().all(Place::serves);
        let mut starting = false;
        let mut leaving = false;
        let mut found = None;
        for (at, place) in self.places.iter().enumerate() {
            let condition = condition(&place.environment);
            let wanted = place_wanted(place, wanted, condition, at == last);
            if place.is_told(&wanted) {
                // One that does not answer does not hold up the others.
                starting |= wanted.goal == Goal::Running && !place.settled() && condition.online;
                leaving |= !place.is_gone();
                continue;
            }
            let drops = wanted.goal == Goal::Gone(DataPolicy::Drop);
            let needed = place.leaving && !moved && place.serves() && condition.online;
            if (wanted.goal == Goal::Running && starting) || (drops && leaving) || needed {
                continue;
            }
            found = Some((place.environment.clone(), wanted));
            break;
        }
        let (environment, wanted) = found?;
        self.step += 1;
        Some(Telling {
            environment,
            wanted,
            revision: Revision {
                generation: wanted.generation,
                term,
                step: self.step,
            },
            begun: Instant::now(),
        })
    }

    /// Notes that an environment was told.
    pub(crate) fn told(&mut self, telling: &Telling) {
        if let Some(place) = self.place_mut(&telling.environment) {
            place.told = Some(Told {
                wanted: telling.wanted,
                revision: telling.revision,
                begun: telling.begun,
            });
        }
    }

    /// Has an environment told again if the carrier has not what it was told. What it has was asked for
    /// at `asked`: what was told since may not be in the answer, and is left alone.
    pub(crate) fn check_told(
        &mut self,
        environment: &EnvironmentName,
        has: Option<&Revision>,
        asked: Instant,
    ) {
        if let Some(place) = self.place_mut(environment)
            && let Some(told) = &place.told
            && told.begun < asked
            && has.is_none_or(|has| *has < told.revision)
        {
            place.told = None;
        }
    }

    /// Has every environment told again: another process told them.
    pub(crate) fn untell(&mut self) {
        for place in &mut self.places {
            place.told = None;
        }
    }

    /// True: the app is placed there, or leaves it.
    pub(crate) fn is_at(&self, environment: &EnvironmentName) -> bool {
        self.places
            .iter()
            .any(|place| place.environment == *environment)
    }

    /// Notes that an environment does not answer; gives what is shown of it, if that is news.
    pub(crate) fn lose(
        &mut self,
        environment: &EnvironmentName,
        message: String,
    ) -> Option<Observed> {
        self.show(environment, Status::Unknown, message)
    }

    /// Notes that an environment answers again, in the same run: what it said last is shown again, since it
    /// does not say it twice. Gives that, if it is news.
    pub(crate) fn find(&mut self, environment: &EnvironmentName) -> Option<Observed> {
        let place = self.place_mut(environment)?;
        if place.observed.status != Status::Unknown {
            return None;
        }
        place.observed = place.report.as_ref()?.observed.clone();
        Some(place.observed.clone())
    }

    /// Notes that an app cannot start there; gives what is shown of it, if that is news.
    pub(crate) fn fail(&mut self, environment: &EnvironmentName, why: String) -> Option<Observed> {
        self.show(environment, Status::Failed, why)
    }

    fn show(
        &mut self,
        environment: &EnvironmentName,
        status: Status,
        message: String,
    ) -> Option<Observed> {
        let observed = &mut self.place_mut(environment)?.observed;
        let message = Some(message);
        if observed.status == status && observed.message == message {
            return None;
        }
        if observed.status != status {
            observed.since = now_ms();
        }
        observed.status = status;
        observed.message = message;
        Some(observed.clone())
    }

    /// What the app holds in all of them together.
    pub(crate) fn held(&self) -> Tally {
        let mut sum = Tally::default();
        for place in &self.places {
            let held = &place.held;
            sum.memory_bytes += held.memory_bytes;
            sum.instances += held.instances;
        }
        sum
    }

    /// True: it could not start somewhere.
    pub(crate) fn any_failed(&self) -> bool {
        let failed = |place: &Place| !place.leaving && place.observed.status == Status::Failed;
        self.places.iter().any(failed)
    }

    /// Notes what an environment says now. False: it says nothing new.
    pub(crate) fn hear(&mut self, report: Report) -> bool {
        if let Some(place) = self.place_mut(&report.observed.environment) {
            place.heard = Some(Instant::now());
        }
        self.note(report)
    }

    /// Notes what an environment said some time ago, read at a request of `asked`: what was heard since
    /// then is as new or newer, or what is newer is still to be heard. False: it says nothing new.
    pub(crate) fn hear_kept(&mut self, report: Report, asked: Instant) -> bool {
        let place = self.place_mut(&report.observed.environment);
        let heard = place.and_then(|place| place.heard);
        heard.is_none_or(|heard| heard < asked) && self.note(report)
    }

    fn note(&mut self, report: Report) -> bool {
        let Some(place) = self.place_mut(&report.observed.environment) else {
            return false;
        };
        if place.report.as_ref() == Some(&report) {
            return false;
        }
        place.observed = report.observed.clone();
        place.report = Some(report);
        true
    }

    /// Notes that an environment's process is another now: what the one before said is over.
    pub(crate) fn restarted(&mut self, environment: &EnvironmentName) {
        if let Some(place) = self.place_mut(environment) {
            place.report = None;
            place.heard = Some(Instant::now());
        }
    }

    /// Removes the environments that have left, and names them.
    pub(crate) fn drop_gone(&mut self) -> Vec<EnvironmentName> {
        let gone = |place: &Place| place.leaving && place.is_gone();
        let left = self.places.iter().filter(|place| gone(place));
        let left = left.map(|place| place.environment.clone()).collect();
        self.places.retain(|place| !gone(place));
        left
    }

    /// True: nothing of it is left anywhere.
    pub(crate) fn all_gone(&self) -> bool {
        self.places.iter().all(Place::is_gone)
    }

    /// The environments that serve it, as far as is known, and whether it is to leave them.
    pub(crate) fn serving(&self) -> impl Iterator<Item = (&EnvironmentName, bool)> {
        let serving = self.places.iter().filter(|place| place.serves());
        serving.map(|place| (&place.environment, place.leaving))
    }

    /// How far it is.
    pub(crate) fn standing(
        &self,
        wanted: Wanted,
        condition: impl Fn(&EnvironmentName) -> Condition,
    ) -> Standing {
        let mut good = Vec::new();
        let mut bad = Vec::new();
        for place in self.places.iter().filter(|place| !place.leaving) {
            let wanted = place_wanted(place, wanted, condition(&place.environment), true);
            if !place.is_told(&wanted) || !place.settled() {
                return Standing::UnderWay;
            }
            let name = &place.environment;
            match (place.observed.status, &place.observed.message) {
                (Status::Failed, Some(why)) => bad.push(format!("failed in `{name}`: {why}")),
                (Status::Failed, None) => bad.push(format!("failed in `{name}`")),
                (status, _) => good.push(format!("{} in `{name}`", status.as_str())),
            }
        }
        if bad.is_empty() {
            return Standing::Done;
        }
        good.append(&mut bad);
        Standing::Mixed(good.join("; "))
    }

    /// Whether anything is still under way towards serving.
    pub(crate) fn may_still_serve(&self, online: impl Fn(&EnvironmentName) -> bool) -> bool {
        self.places
            .iter()
            .filter(|place| !place.leaving)
            .any(|place| online(&place.environment) && place.observed.status != Status::Failed)
    }
}

#[cfg(test)]
mod tests;
