//! Turns that go from one to another: of the interrupted, of those who do not take theirs, and of threads that borrow.

use super::*;

#[test]
fn whose_turn_comes_after_an_interrupted_one_is_decided_when_it_is_asked() {
    let gate = Gate::new(1);
    let (greedy, other) = (gate.lane(100, None), gate.lane(100, None));
    let (counts, others) = (Arc::new(Count::default()), Arc::new(Count::default()));
    let (waker, other_waker) = (Waker::from(counts.clone()), Waker::from(others.clone()));
    let (mut first, mut second, mut late) = (None, None, None);
    assert!(greedy.try_turn(&mut first, &waker));
    assert!(!greedy.try_turn(&mut second, &waker));
    first = Some(greedy.end_turn_and_queue(Duration::from_millis(1), &waker));
    assert_eq!(counts.0.load(Ordering::Relaxed), 0);
    // Who came meanwhile and has had less goes first, once it is decided.
    assert!(!other.try_turn(&mut late, &other_waker));
    assert!(!greedy.try_turn(&mut first, &waker));
    assert_eq!(others.0.load(Ordering::Relaxed), 1);
    assert!(other.try_turn(&mut late, &other_waker));
    first = first.inspect(|_| other.end_turn(Duration::from_millis(3)));
    assert!(!greedy.try_turn(&mut first, &waker));
    assert!(greedy.try_turn(&mut second, &waker), "it was before it");
    second = Some(greedy.end_turn_and_queue(Duration::from_millis(1), &waker));
    let woken = counts.0.load(Ordering::Relaxed);
    gate.refill();
    assert_eq!(
        counts.0.load(Ordering::Relaxed),
        woken + 1,
        "the epoch's end gives away what nobody did"
    );
    assert!(greedy.try_turn(&mut first, &waker));
    greedy.end_turn(Duration::ZERO);
    greedy.leave(second.unwrap());
    assert_eq!(gate.state.lock().running, 0);
}

#[test]
fn each_thread_decides_about_its_own_turn_and_wakes_one() {
    let gate = Gate::new(2);
    let lane = gate.lane(100, None);
    let counts = Arc::new(Count::default());
    let waker = Waker::from(counts.clone());
    let mut tickets = [None; 4];
    let had = tickets
        .each_mut()
        .map(|ticket| lane.try_turn(ticket, &waker));
    assert_eq!(had, [true, true, false, false]);
    for ticket in &mut tickets[..2] {
        *ticket = Some(lane.end_turn_and_queue(Duration::from_millis(1), &waker));
    }
    assert!(!lane.try_turn(&mut tickets[0], &waker));
    assert_eq!(
        counts.0.load(Ordering::Relaxed),
        1,
        "the third, by the first's thread"
    );
    assert!(lane.try_turn(&mut tickets[2], &waker));
    assert!(
        !lane.try_turn(&mut tickets[3], &waker),
        "the second's thread is to give it"
    );
    assert!(!lane.try_turn(&mut tickets[1], &waker));
    assert_eq!(counts.0.load(Ordering::Relaxed), 2);
    assert!(lane.try_turn(&mut tickets[3], &waker));
    // One that goes instead of asking holds nothing back.
    tickets[2] = Some(lane.end_turn_and_queue(Duration::from_millis(1), &waker));
    lane.leave(tickets[2].take().unwrap());
    assert!(lane.try_turn(&mut tickets[0], &waker));
    lane.end_turn(Duration::ZERO);
    lane.end_turn(Duration::ZERO);
    lane.leave(tickets[1].unwrap());
    assert_eq!(gate.state.lock().running, 0);
}

#[test]
fn an_interrupted_guest_gets_its_own_threads_turn_and_not_anothers() {
    let gate = Gate::new(2);
    let lanes = [gate.lane(100, None), gate.lane(100, None)];
    let counts = Arc::new(Count::default());
    let waker = Waker::from(counts.clone());
    assert!(lanes.iter().all(|lane| lane.try_turn(&mut None, &waker)));
    let mut tickets = lanes
        .each_ref()
        .map(|lane| Some(lane.end_turn_and_queue(Duration::from_millis(1), &waker)));
    // The other one is before it, but its own thread is to have it.
    assert!(lanes[1].try_turn(&mut tickets[1], &waker));
    assert!(lanes[0].try_turn(&mut tickets[0], &waker));
    assert_eq!(counts.0.load(Ordering::Relaxed), 0);
    lanes.iter().for_each(|lane| lane.end_turn(Duration::ZERO));
    assert_eq!(gate.state.lock().running, 0);
}

#[test]
fn a_turn_that_is_not_taken_for_long_goes_to_another() {
    let gate = Gate::new(1);
    let (stuck, other) = (gate.lane(100, None), gate.lane(100, None));
    let waker = Waker::from(Arc::new(Count::default()));
    let (mut stays_away, mut waits) = (None, None);
    assert!(other.try_turn(&mut None, &waker));
    assert!(!stuck.try_turn(&mut stays_away, &waker));
    other.end_turn(Duration::from_millis(1)); // the other's turn is granted …
    assert!(!other.try_turn(&mut waits, &waker));
    for _ in 0..50 {
        gate.refill();
        assert!(!other.try_turn(&mut waits, &waker));
    }
    for _ in 0..60 {
        gate.refill(); // … and not taken for 110 epochs
    }
    assert!(other.try_turn(&mut waits, &waker));
    assert!(!stuck.try_turn(&mut stays_away, &waker), "it queues again");
    other.end_turn(Duration::from_millis(1));
    assert!(stuck.try_turn(&mut stays_away, &waker));
    stuck.end_turn(Duration::ZERO);
    assert_eq!(gate.state.lock().running, 0);
}

#[test]
fn a_thread_of_its_own_borrows_turns_and_waits_for_them() {
    let gate = Gate::new(1);
    let (greedy, lane) = (gate.lane(100, None), Arc::new(gate.lane(100, None)));
    let waker = Waker::from(Arc::new(Count::default()));
    let (first, waited) = lane.borrow_next(None, &|| true);
    assert_eq!(waited, Duration::ZERO);
    let mut waits = None;
    assert!(!greedy.try_turn(&mut waits, &waker), "it is borrowed");
    lane.charge(Duration::from_millis(1));
    let other = std::thread::spawn({
        let lane = lane.clone();
        move || lane.borrow_next(first, &|| true)
    });
    while !greedy.try_turn(&mut waits, &waker) {
        std::thread::yield_now();
    }
    std::thread::sleep(Duration::from_millis(20));
    assert!(!other.is_finished(), "it waits for the other's turn to end");
    greedy.end_turn(Duration::from_millis(2));
    let (second, waited) = other.join().unwrap();
    assert!(waited >= Duration::from_millis(15), "{waited:?}");
    lane.bring_back(second.unwrap());
    assert_eq!(gate.state.lock().running, 0);
}

#[test]
fn a_borrowed_turn_that_is_not_brought_back_is_taken_back() {
    let gate = Gate::new(1);
    let lane = gate.lane(100, None);
    let (turn, _) = lane.borrow_next(None, &|| true);
    for _ in 0..10 {
        gate.refill();
    }
    assert_eq!(gate.state.lock().running, 0);
    lane.bring_back(turn.unwrap());
    assert_eq!(gate.state.lock().running, 0, "it is given back once");
    assert!(lane.try_turn(&mut None, &Waker::from(Arc::new(Count::default()))));
}

#[test]
fn a_thread_whose_work_nobody_wants_gets_no_turn_and_leaves_no_trace() {
    let gate = Gate::new(1);
    let (greedy, lane) = (gate.lane(100, None), gate.lane(100, None));
    let waker = Waker::from(Arc::new(Count::default()));
    assert!(greedy.try_turn(&mut None, &waker));
    let (turn, _) = lane.borrow_next(None, &|| false);
    assert_eq!(turn, None);
    greedy.end_turn(Duration::ZERO);
    assert_eq!(gate.state.lock().running, 0);
}

#[test]
fn a_brief_lane_takes_no_notice_of_borrowed_turns() {
    let gate = Gate::new(1);
    let (lane, brief, other) = (
        gate.lane(100, None),
        gate.lane(100, None),
        gate.lane(100, None),
    );
    let waker = Waker::from(Arc::new(Count::default()));
    for lane in [&brief, &other] {
        for _ in 0..20 {
            assert!(lane.try_turn(&mut None, &waker));
            lane.end_turn(Duration::from_micros(20));
        }
    }
    let (borrowed, _) = lane.borrow_next(None, &|| true);
    assert!(other.try_turn(&mut None, &waker));
    assert!(brief.try_turn(&mut None, &waker), "beside the borrowed one");
    brief.end_turn(Duration::ZERO);
    other.end_turn(Duration::ZERO);
    lane.bring_back(borrowed.unwrap());
    assert_eq!(gate.state.lock().running, 0);
}
