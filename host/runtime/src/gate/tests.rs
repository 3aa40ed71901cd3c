#![allow(clippy::disallowed_methods, reason = "a test may wait")]

#[path = "tests/handed_over.rs"]
mod handed_over;

use super::*;
use std::sync::atomic::AtomicUsize;
use std::task::Wake;
use std::time::Instant;

#[derive(Default)]
struct Count(AtomicUsize);
impl Wake for Count {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

/// `busy` requests of each lane always want to run; each turn takes 1 ms. Returns turns had.
fn share(gate: &Arc<Gate>, lanes: &[Lane], requests: &[usize], turns: usize) -> Vec<usize> {
    let waker = Waker::from(Arc::new(Count::default()));
    let mut wants: Vec<(usize, Option<Ticket>)> = Vec::new();
    for (lane, count) in requests.iter().enumerate() {
        wants.extend((0..*count).map(|_| (lane, None)));
    }
    let mut had = vec![0; lanes.len()];
    let mut running = Vec::new();
    let capacity = gate.state.lock().capacity;
    for _ in 0..turns {
        for (index, (lane, ticket)) in wants.iter_mut().enumerate() {
            if !running.contains(&index) && lanes[*lane].try_turn(ticket, &waker) {
                running.push(index);
            }
        }
        assert!(running.len() <= capacity);
        let index = running.remove(0);
        had[wants[index].0] += 1;
        lanes[wants[index].0].end_turn(Duration::from_millis(1));
    }
    for index in running {
        lanes[wants[index].0].end_turn(Duration::ZERO);
    }
    for (lane, ticket) in wants {
        ticket
            .into_iter()
            .for_each(|ticket| lanes[lane].leave(ticket));
    }
    had
}

#[test]
fn alone_an_app_has_every_turn() {
    let gate = Gate::new(2);
    let lanes = [gate.lane(100, None), gate.lane(100, None)];
    assert_eq!(share(&gate, &lanes, &[64, 0], 100), [100, 0]);
}

#[test]
fn turns_go_to_apps_and_not_to_requests() {
    let gate = Gate::new(2);
    let lanes = [gate.lane(100, None), gate.lane(100, None)];
    let had = share(&gate, &lanes, &[200, 2], 1000);
    assert!(had[1] > 450, "{had:?}");
}

#[test]
fn weights_divide_the_cpu() {
    let gate = Gate::new(2);
    let lanes = [gate.lane(300, None), gate.lane(100, None)];
    let had = share(&gate, &lanes, &[10, 10], 1000);
    assert!((700..800).contains(&had[0]), "{had:?}");
}

#[test]
fn weights_hold_where_a_lane_with_waiters_has_no_guest_that_runs() {
    let gate = Gate::new(1);
    let lanes = [gate.lane(300, None), gate.lane(100, None)];
    let had = share(&gate, &lanes, &[10, 10], 1000);
    assert!((740..760).contains(&had[0]), "{had:?}");
}

#[test]
fn weights_hold_between_apps_with_one_busy_request_each() {
    let gate = Gate::new(1);
    let lanes = [gate.lane(300, None), gate.lane(100, None)];
    let waker = Waker::from(Arc::new(Count::default()));
    let mut tickets = [None, None];
    let mut had = [0; 2];
    for _ in 0..1_000 {
        // The second's thread may decide that it is the first's turn.
        let turn = [0, 1, 0]
            .into_iter()
            .find(|lane| lanes[*lane].try_turn(&mut tickets[*lane], &waker));
        let turn = turn.unwrap();
        (0..2).for_each(|lane| {
            // Whoever asks besides has no turn.
            assert!(lane == turn || !lanes[lane].try_turn(&mut tickets[lane], &waker));
        });
        had[turn] += 1;
        tickets[turn] = Some(lanes[turn].end_turn_and_queue(Duration::from_millis(1), &waker));
    }
    for (lane, ticket) in lanes.iter().zip(tickets) {
        lane.leave(ticket.unwrap());
    }
    assert!((740..760).contains(&had[0]), "{had:?}");
    assert_eq!(gate.state.lock().running, 0);
}

#[test]
fn a_lane_that_was_held_back_by_its_cap_has_saved_nothing_up() {
    let gate = Gate::new(1);
    let lanes = [gate.lane(100, None), gate.lane(100, Some(1.0))];
    let waker = Waker::from(Arc::new(Count::default()));
    let mut capped = None;
    assert!(lanes[1].try_turn(&mut None, &waker));
    lanes[1].end_turn(Duration::from_millis(101)); // the bucket holds 100 ms
    assert!(!lanes[1].try_turn(&mut capped, &waker));
    share(&gate, &lanes[..1], &[4], 5_000);
    std::thread::sleep(Duration::from_millis(15));
    gate.refill();
    let state = gate.state.lock();
    assert!(state.lanes[1].virtual_time >= state.lanes[0].virtual_time - 1_000_000);
    drop(state);
    lanes[1].leave(capped.unwrap());
}

#[test]
fn a_brief_lane_need_not_queue_behind_others_while_it_is_next() {
    let gate = Gate::new(1);
    let (greedy, quiet) = (gate.lane(100, None), gate.lane(100, None));
    let waker = Waker::from(Arc::new(Count::default()));
    let brief = Duration::from_micros(20);
    let mut waits = None;
    assert!(greedy.try_turn(&mut None, &waker));
    assert!(
        !quiet.try_turn(&mut waits, &waker),
        "nothing is known of it"
    );
    greedy.end_turn(Duration::from_millis(1));
    assert!(quiet.try_turn(&mut waits, &waker));
    quiet.end_turn(brief);
    for _ in 0..20 {
        assert!(quiet.try_turn(&mut None, &waker));
        quiet.end_turn(brief);
    }
    let mut tickets = [
        greedy.try_turn(&mut None, &waker).then_some(None),
        Some(None),
    ];
    let [Some(_), Some(second)] = &mut tickets else {
        panic!("a turn was free");
    };
    assert!(!greedy.try_turn(second, &waker));
    assert!(quiet.try_turn(&mut None, &waker), "one more than capacity");
    let mut third = None;
    assert!(!quiet.try_turn(&mut third, &waker), "and no more");
    quiet.leave(third.unwrap());
    quiet.end_turn(Duration::from_millis(1));
    // Not often, but this once: its average is brief.
    greedy.charge(Duration::from_millis(1));
    assert!(quiet.try_turn(&mut None, &waker));
    quiet.end_turn(Duration::from_millis(3));
    greedy.charge(Duration::from_millis(10));
    assert!(!quiet.try_turn(&mut waits, &waker), "it was not brief");
    quiet.leave(waits.unwrap());
    greedy.end_turn(Duration::from_millis(1));
    greedy.leave(second.unwrap());
    assert_eq!(gate.state.lock().running, 0);
}

#[test]
fn a_brief_lane_that_has_had_its_share_queues() {
    let gate = Gate::new(1);
    let (greedy, quick) = (gate.lane(100, None), gate.lane(100, None));
    let waker = Waker::from(Arc::new(Count::default()));
    for _ in 0..20 {
        assert!(quick.try_turn(&mut None, &waker));
        quick.end_turn(Duration::from_micros(100));
    }
    // The other waits from now on, as far as time has come.
    assert!(quick.try_turn(&mut None, &waker));
    let mut waits = None;
    assert!(!greedy.try_turn(&mut waits, &waker));
    let mut quick_had = 0;
    while quick.try_turn(&mut None, &waker) {
        quick.end_turn(Duration::from_micros(100));
        quick_had += 1;
    }
    assert!(quick_had <= 1, "{quick_had}");
}

#[test]
fn a_lane_that_was_idle_goes_first_but_saved_nothing_up() {
    let gate = Gate::new(1);
    let lanes = [gate.lane(100, None), gate.lane(100, None)];
    share(&gate, &lanes, &[4, 0], 500);
    let had = share(&gate, &lanes, &[4, 4], 100);
    assert!((45..=60).contains(&had[1]), "{had:?}");
}

#[test]
fn a_capped_lane_waits_for_its_bucket_even_when_alone() {
    let gate = Gate::new(2);
    let lane = gate.lane(100, Some(0.1));
    let count = Arc::new(Count::default());
    let waker = Waker::from(count.clone());
    let mut ticket = None;
    assert!(lane.try_turn(&mut ticket, &waker));
    lane.end_turn(Duration::from_millis(11)); // the bucket holds 10 ms
    assert!(!lane.try_turn(&mut ticket, &waker));
    gate.refill();
    assert_eq!(count.0.load(Ordering::Relaxed), 0);
    std::thread::sleep(Duration::from_millis(50)); // gains 5 ms
    gate.refill();
    assert_eq!(count.0.load(Ordering::Relaxed), 1);
    assert_eq!(lane.take_capped(), Duration::ZERO, "it still waits");
    assert!(lane.try_turn(&mut ticket, &waker));
    let capped = lane.take_capped();
    assert!(capped >= Duration::from_millis(34), "{capped:?}");
    assert_eq!(lane.take_capped(), Duration::ZERO, "it is told once");
}

#[test]
fn a_lane_that_is_charged_while_it_waits_is_not_forgotten() {
    let gate = Gate::new(1);
    let (other, lane) = (gate.lane(100, None), gate.lane(100, Some(0.1)));
    let count = Arc::new(Count::default());
    let waker = Waker::from(count.clone());
    assert!(other.try_turn(&mut None, &waker));
    assert!(!lane.try_turn(&mut None, &waker));
    lane.charge(Duration::from_millis(11)); // its bucket, which holds 10 ms, is empty now
    other.end_turn(Duration::ZERO);
    assert_eq!(count.0.load(Ordering::Relaxed), 0);
    std::thread::sleep(Duration::from_millis(50)); // gains 5 ms
    gate.refill();
    assert_eq!(count.0.load(Ordering::Relaxed), 1);
}

#[test]
fn waiting_for_others_is_not_due_to_the_cap() {
    let gate = Gate::new(1);
    let (other, lane) = (gate.lane(100, None), gate.lane(100, Some(4.0)));
    let waker = Waker::from(Arc::new(Count::default()));
    assert!(other.try_turn(&mut None, &waker));
    let mut ticket = None;
    assert!(!lane.try_turn(&mut ticket, &waker));
    std::thread::sleep(Duration::from_millis(20));
    other.end_turn(Duration::from_millis(20));
    assert!(lane.try_turn(&mut ticket, &waker));
    assert_eq!(lane.take_capped(), Duration::ZERO);
}

#[test]
fn a_granted_turn_that_nobody_takes_goes_on() {
    let gate = Gate::new(1);
    let lane = gate.lane(100, None);
    let waker = Waker::from(Arc::new(Count::default()));
    let (mut a, mut b, mut c) = (None, None, None);
    assert!(lane.try_turn(&mut a, &waker));
    assert!(!lane.try_turn(&mut b, &waker));
    assert!(!lane.try_turn(&mut c, &waker));
    lane.end_turn(Duration::from_millis(1)); // b's turn is granted …
    lane.leave(b.unwrap()); // … and given up
    assert!(lane.try_turn(&mut c, &waker));
    lane.end_turn(Duration::ZERO);
    assert_eq!(gate.state.lock().running, 0);
}

#[test]
fn the_epochs_thread_rests_while_no_guest_runs_and_is_woken() {
    let gate = Gate::new(1);
    let lane = gate.lane(100, None);
    let waker = Waker::from(Arc::new(Count::default()));
    assert!(lane.try_turn(&mut None, &waker));
    let longest = Duration::from_secs(60);
    assert_eq!(gate.may_rest(longest), None, "a guest runs");
    lane.end_turn(Duration::ZERO);
    let rested = std::thread::spawn({
        let gate = gate.clone();
        move || {
            assert_eq!(gate.may_rest(longest), Some(longest));
            let begun = Instant::now();
            std::thread::park_timeout(longest);
            begun.elapsed()
        }
    });
    while gate.state.lock().resting.is_none() {
        std::thread::yield_now();
    }
    assert!(lane.try_turn(&mut None, &waker));
    assert!(rested.join().unwrap() < Duration::from_secs(30));
}

#[test]
fn the_epochs_thread_rests_until_a_bucket_opens_and_is_woken_for_another() {
    let gate = Gate::new(1);
    let (slow, slower) = (gate.lane(100, Some(0.1)), gate.lane(100, Some(0.1)));
    let waker = Waker::from(Arc::new(Count::default()));
    let longest = Duration::from_secs(60);
    let (mut waits, mut waits_too) = (None, None);
    for lane in [&slow, &slower] {
        assert!(lane.try_turn(&mut None, &waker));
        lane.end_turn(Duration::from_millis(12)); // the bucket holds 10 ms
    }
    assert!(!slow.try_turn(&mut waits, &waker));
    // 2 ms of debt and 2.5 ms to begin with, at a tenth of a core.
    let rests = gate.may_rest(longest).unwrap();
    assert!(
        rests > Duration::from_millis(30) && rests < Duration::from_millis(46),
        "{rests:?}"
    );
    assert!(!slower.try_turn(&mut waits_too, &waker));
    assert!(
        gate.state.lock().resting.is_none(),
        "another bucket is to be looked at"
    );
    // It looks after the other bucket too soon, and rests again: nobody wakes it but the bucket.
    gate.refill();
    let rests = gate.may_rest(longest).unwrap();
    let begun = Instant::now();
    std::thread::park_timeout(rests); // the token that it was woken with
    gate.refill();
    std::thread::park_timeout(gate.may_rest(longest).unwrap());
    assert!(begun.elapsed() >= Duration::from_millis(10));
    std::thread::sleep(rests);
    gate.refill();
    assert!(slow.try_turn(&mut waits, &waker));
    slow.end_turn(Duration::ZERO);
    slower.leave(waits_too.unwrap());
}

#[test]
fn an_empty_bucket_opens_when_it_is_worth_waking_anybody() {
    let gate = Gate::new(1);
    let lane = gate.lane(100, Some(0.5));
    let count = Arc::new(Count::default());
    let waker = Waker::from(count.clone());
    let mut ticket = None;
    assert!(lane.try_turn(&mut None, &waker));
    lane.end_turn(Duration::from_millis(51)); // 1 ms more than it holds
    let begun = Instant::now();
    assert!(!lane.try_turn(&mut ticket, &waker));
    while count.0.load(Ordering::Relaxed) == 0 {
        std::thread::sleep(Duration::from_millis(1));
        gate.refill();
    }
    assert!(begun.elapsed() >= Duration::from_millis(24));
    assert!(lane.try_turn(&mut ticket, &waker));
    lane.end_turn(Duration::ZERO);
}
