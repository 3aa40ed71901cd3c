use super::*;
use lodge_model::AppId;

fn name(name: &str) -> EnvironmentName {
    name.parse().unwrap()
}

fn wanted(generation: i64, goal: Goal) -> Wanted {
    Wanted {
        generation,
        goal,
        restart_before: 0,
        regrants: 0,
    }
}

fn there(_: &EnvironmentName) -> Condition {
    Condition {
        online: true,
        draining: false,
    }
}

fn report(environment: &str, revision: Revision, status: Status) -> Report {
    Report {
        app: "shop".parse::<AppId>().unwrap(),
        observed: Observed {
            environment: name(environment),
            status,
            since: 0,
            version: None,
            message: (status == Status::Failed).then(|| "no such table".into()),
        },
        revision,
        gone: status == Status::Stopped,
    }
}

/// Tells what there is to tell; gives who was told what.
fn tell(remotes: &mut Remotes, wanted: Wanted) -> Vec<(String, Goal)> {
    let mut told = Vec::new();
    while let Some(telling) = remotes.next(wanted, 1, there) {
        remotes.told(&telling);
        told.push((telling.environment.to_string(), telling.wanted.goal));
    }
    told
}

fn revision(remotes: &Remotes, environment: &str) -> Revision {
    let place = remotes
        .places
        .iter()
        .find(|p| p.environment == name(environment));
    place.unwrap().told.unwrap().revision
}

fn says(remotes: &mut Remotes, environment: &str, status: Status) -> bool {
    let revision = revision(remotes, environment);
    remotes.hear(report(environment, revision, status))
}

fn in_two() -> Remotes {
    let mut remotes = Remotes::default();
    remotes.place(&[name("a"), name("b")]);
    remotes
}

#[test]
fn what_a_found_environment_said_last_is_shown_again() {
    let mut remotes = Remotes::default();
    remotes.place(&[name("a")]);
    tell(&mut remotes, wanted(1, Goal::Running));
    assert!(says(&mut remotes, "a", Status::Running));
    assert!(remotes.find(&name("a")).is_none());
    assert!(remotes.lose(&name("a"), "gone".into()).is_some());
    // It has nothing new to say.
    assert!(!says(&mut remotes, "a", Status::Running));
    let found = remotes.find(&name("a")).unwrap();
    assert_eq!((found.status, found.message), (Status::Running, None));
    // Another run of it has said nothing yet.
    remotes.lose(&name("a"), "gone".into());
    remotes.restarted(&name("a"));
    assert!(remotes.find(&name("a")).is_none());
}

#[test]
fn starts_one_after_another_and_stops_at_once() {
    let mut remotes = in_two();
    let start = wanted(1, Goal::Running);
    assert_eq!(tell(&mut remotes, start), [("a".into(), Goal::Running)]);
    says(&mut remotes, "a", Status::Starting);
    assert_eq!(tell(&mut remotes, start), []);
    assert_eq!(remotes.standing(start, there), Standing::UnderWay);
    says(&mut remotes, "a", Status::Running);
    assert_eq!(tell(&mut remotes, start), [("b".into(), Goal::Running)]);
    says(&mut remotes, "b", Status::Running);
    assert_eq!(remotes.standing(start, there), Standing::Done);

    let stop = wanted(2, Goal::Stopped);
    assert_eq!(
        tell(&mut remotes, stop),
        [("a".into(), Goal::Stopped), ("b".into(), Goal::Stopped)]
    );
}

#[test]
fn a_mixed_outcome_is_said_plainly() {
    let mut remotes = in_two();
    let start = wanted(1, Goal::Running);
    tell(&mut remotes, start);
    says(&mut remotes, "a", Status::Running);
    tell(&mut remotes, start);
    says(&mut remotes, "b", Status::Failed);
    assert_eq!(
        remotes.standing(start, there),
        Standing::Mixed("running in `a`; failed in `b`: no such table".into())
    );
}

#[test]
fn one_that_does_not_answer_holds_up_nobody_and_old_reports_settle_nothing() {
    let mut remotes = in_two();
    let start = wanted(1, Goal::Running);
    let half = |environment: &EnvironmentName| Condition {
        online: environment.as_str() == "b",
        draining: false,
    };
    let mut told = Vec::new();
    while let Some(telling) = remotes.next(start, 1, half) {
        remotes.told(&telling);
        told.push(telling.environment.to_string());
    }
    assert_eq!(told, ["a", "b"]);
    says(&mut remotes, "b", Status::Running);
    assert_eq!(remotes.standing(start, half), Standing::UnderWay);

    let again = wanted(2, Goal::Running);
    tell(&mut remotes, again);
    let old = Revision {
        generation: 1,
        term: 1,
        step: 1,
    };
    remotes.hear(report("a", old, Status::Running));
    assert_eq!(remotes.standing(again, there), Standing::UnderWay);
}

#[test]
fn what_is_left_serves_until_the_new_place_does_and_data_go_with_the_last() {
    let mut remotes = Remotes::default();
    remotes.place(&[name("a")]);
    let start = wanted(1, Goal::Running);
    tell(&mut remotes, start);
    says(&mut remotes, "a", Status::Running);
    remotes.place(&[name("b")]);
    let moved = wanted(2, Goal::Running);
    assert_eq!(tell(&mut remotes, moved), [("b".into(), Goal::Running)]);
    says(&mut remotes, "b", Status::Running);
    assert_eq!(
        tell(&mut remotes, moved),
        [("a".into(), Goal::Gone(DataPolicy::Keep))]
    );
    says(&mut remotes, "a", Status::Stopped);
    assert_eq!(remotes.drop_gone(), [name("a")]);

    let mut remotes = in_two();
    let delete = wanted(3, Goal::Gone(DataPolicy::Drop));
    assert_eq!(
        tell(&mut remotes, delete),
        [("a".into(), Goal::Gone(DataPolicy::Keep))]
    );
    says(&mut remotes, "a", Status::Stopped);
    assert_eq!(
        tell(&mut remotes, delete),
        [("b".into(), Goal::Gone(DataPolicy::Drop))]
    );
    assert!(!remotes.all_gone());
    says(&mut remotes, "b", Status::Stopped);
    assert!(remotes.all_gone());
}

#[test]
fn what_the_carrier_lost_is_told_again_with_a_higher_revision() {
    let mut remotes = in_two();
    let stop = wanted(1, Goal::Stopped);
    tell(&mut remotes, stop);
    let before = revision(&remotes, "a");
    remotes.check_told(&name("a"), Some(&before), Instant::now());
    assert_eq!(tell(&mut remotes, stop), []);
    remotes.check_told(&name("a"), None, Instant::now());
    assert_eq!(tell(&mut remotes, stop), [("a".into(), Goal::Stopped)]);
    assert!(revision(&remotes, "a") > before);
}

#[test]
fn what_was_read_before_it_was_told_has_nothing_told_twice() {
    let mut remotes = Remotes::default();
    remotes.place(&[name("a")]);
    tell(&mut remotes, wanted(1, Goal::Running));
    let old = revision(&remotes, "a");
    let asked = Instant::now();
    tell(&mut remotes, wanted(2, Goal::Running));
    for has in [Some(&old), None] {
        remotes.check_told(&name("a"), has, asked);
        assert_eq!(tell(&mut remotes, wanted(2, Goal::Running)), []);
    }
    remotes.check_told(&name("a"), Some(&old), Instant::now());
    assert_eq!(tell(&mut remotes, wanted(2, Goal::Running)).len(), 1);
}

#[test]
fn what_was_kept_does_not_undo_what_was_heard_since() {
    let mut remotes = Remotes::default();
    remotes.place(&[name("a")]);
    tell(&mut remotes, wanted(1, Goal::Running));
    let told = revision(&remotes, "a");
    let kept = report("a", told, Status::Starting);
    assert!(remotes.hear_kept(kept.clone(), Instant::now()));
    let asked = Instant::now();
    assert!(says(&mut remotes, "a", Status::Running));
    assert!(!remotes.hear_kept(kept.clone(), asked));
    assert_eq!(remotes.status_in(&name("a")), Some(Status::Running));
    // Read after that, it is newer: the carrier gives none that is older than what was heard.
    assert!(remotes.hear_kept(kept.clone(), Instant::now()));
    // What another process of it had said does not count.
    let asked = Instant::now();
    remotes.restarted(&name("a"));
    assert!(!remotes.hear_kept(report("a", told, Status::Running), asked));
}

#[test]
fn a_drained_environment_stops_what_cannot_leave_it() {
    let mut remotes = Remotes::default();
    remotes.place(&[name("a")]);
    let drained = |_: &EnvironmentName| Condition {
        online: true,
        draining: true,
    };
    let telling = remotes.next(wanted(1, Goal::Running), 1, drained).unwrap();
    assert_eq!(telling.wanted.goal, Goal::Stopped);
}
