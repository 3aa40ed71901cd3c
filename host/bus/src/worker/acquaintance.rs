//! The supervisors that greeted this run of the worker: what they want answered, and which of them is
//! the one to ask.

use crate::envelope::MAX_MARKS;
use crate::keys::Mark;
use crate::said::Greeting;
use lodge_model::BootId;

/// One supervisor.
#[derive(Debug, Clone)]
struct Known {
    boot: BootId,
    sequence: u64,
    challenge: Mark,
    term: i64,
    url: Option<String>,
}

/// Those that greeted last, the latest at the end. Two at once during a rolling update; more than
/// [`MAX_MARKS`] are not kept, and one that is missed greets again.
#[derive(Debug, Default)]
pub(super) struct Acquaintance {
    known: Vec<Known>,
    told: Option<(String, BootId)>,
}

/// What follows from a greeting.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Consequence {
    /// Introduce yourself and say everything again.
    pub(super) answer: bool,
    /// Where the supervisor is now, if that changed.
    pub(super) supervisor: Option<(String, BootId)>,
}

impl Acquaintance {
    /// Whether nobody greeted yet.
    pub(super) fn is_empty(&self) -> bool {
        self.known.is_empty()
    }

    /// The address that was told last.
    pub(super) fn told(&self) -> Option<(String, BootId)> {
        self.told.clone()
    }

    /// What messages carry.
    pub(super) fn marks(&self) -> Vec<Mark> {
        self.known.iter().map(|known| known.challenge).collect()
    }

    /// Takes a genuine greeting of this run; one that is not newer than the supervisor's last changes
    /// nothing.
    pub(super) fn greeted(
        &mut self,
        boot: BootId,
        sequence: u64,
        greeting: Greeting,
    ) -> Consequence {
        let mut challenge = Mark::default();
        if hex::decode_to_slice(&greeting.challenge, &mut challenge).is_err() {
            return Consequence::default();
        }
        if let Some(position) = self.known.iter().position(|known| known.boot == boot) {
            let stale = self
                .known
                .get(position)
                .is_some_and(|known| sequence <= known.sequence);
            if stale {
                return Consequence::default();
            }
            self.known.remove(position);
        }
        self.known.push(Known {
            boot,
            sequence,
            challenge,
            term: greeting.term,
            url: greeting.url,
        });
        if self.known.len() > MAX_MARKS {
            self.known.remove(0);
        }
        Consequence {
            answer: greeting.answer,
            supervisor: self.news(),
        }
    }

    /// The address of the supervisor with the highest term, if it was not told yet.
    fn news(&mut self) -> Option<(String, BootId)> {
        let first = self
            .known
            .iter()
            .filter(|known| known.url.is_some())
            .max_by_key(|known| known.term)?;
        let address = (first.url.clone()?, first.boot);
        if self.told.as_ref() == Some(&address) {
            return None;
        }
        self.told = Some(address.clone());
        Some(address)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn greeting(term: i64, url: &str) -> Greeting {
        Greeting {
            challenge: hex::encode([7; 16]),
            term,
            url: Some(url.to_owned()),
            answer: false,
        }
    }

    #[test]
    fn the_highest_term_is_asked_and_repeats_change_nothing() {
        let (first, second) = (BootId([1; 16]), BootId([2; 16]));
        let mut known = Acquaintance::default();
        let told = known.greeted(first, 1, greeting(5, "http://a")).supervisor;
        assert_eq!(told, Some(("http://a".to_owned(), first)));
        let told = known.greeted(second, 1, greeting(4, "http://b")).supervisor;
        assert_eq!(told, None);
        let told = known.greeted(second, 2, greeting(6, "http://b")).supervisor;
        assert_eq!(told, Some(("http://b".to_owned(), second)));
        let stale = known.greeted(first, 1, greeting(9, "http://evil"));
        assert_eq!(stale, Consequence::default());
        for other in 3..40 {
            known.greeted(BootId([other; 16]), 1, greeting(0, "http://c"));
        }
        assert_eq!(known.marks().len(), MAX_MARKS);
    }
}
