//! Robots meet people, and never each other.

use super::*;

const TOPICS: [&str; 2] = ["open", "chess"];

#[test]
fn two_robots_wait_side_by_side_and_a_person_meets_the_earlier() {
    for topic in TOPICS {
        let mut scene = Scene::new();
        let [early, late] = [ROBOT, ROBOT + 1].map(|number| scene.guest(number));
        scene.expect(early.enters(topic), [early.queued(topic, 1, [1, 1, 0, 0])]);
        scene.expect(late.enters(topic), [late.queued(topic, 2, [2, 2, 0, 0])]);
        let person = scene.guest(1);
        let room = scene.next_room(&early, &person);
        let effects = [early.paired(room, topic, &person), person.paired(room, topic, &early)];
        scene.expect(person.enters(topic), effects);
        let other = scene.guest(2);
        let room = scene.next_room(&late, &other);
        let effects = [late.paired(room, topic, &other), other.paired(room, topic, &late)];
        scene.expect(other.enters(topic), effects);
    }
}

#[test]
fn a_robot_passes_an_earlier_robot_over() {
    let mut scene = Scene::new();
    let robot = scene.guest(ROBOT);
    let person = scene.guest(1);
    let block = Arrival { blocks: vec![owner(ROBOT)], ..arrival_of(person.owner) };
    scene.send(robot.enters("open"));
    let connection = scene.connection();
    scene.send(Event::Arrived(connection, block));
    scene.send(person.enters("open"));
    let late = scene.guest(ROBOT + 1);
    let room = scene.next_room(&person, &late);
    let effects = [person.paired(room, "open", &late), late.paired(room, "open", &person)];
    scene.expect(late.enters("open"), effects);
}

#[test]
fn no_waiver_brings_robots_together() {
    for topic in TOPICS {
        let config = Config { match_wait: Duration::ZERO, queue_idle: None, ..Config::default() };
        let mut scene = Scene::with(config);
        let listening = scene.guest(ROBOT);
        scene.send(listening.enters(topic));
        scene.send(listening.attends(true));
        scene.quiet_one(ROBOT + 1, topic);
        let third = scene.guest(ROBOT + 2);
        scene.send(third.enters(topic));
        scene.wait(HALF_HOUR, []);
        assert_eq!(scene.lobby.counts().waiting, 3, "{topic}");
    }
}

#[test]
fn robots_are_robots_to_the_next_relay() {
    let mut scene = Scene::new();
    let robots = [ROBOT, ROBOT + 1].map(|number| scene.guest(number));
    for robot in &robots {
        scene.send(robot.enters("open"));
    }
    scene.restart();
    let back = robots.map(|robot| scene.again(&robot));
    for (ticket, robot) in (1..).zip(&back) {
        scene.send(robot.back_waiting(Some(ticket), "open"));
    }
    assert_eq!(scene.lobby.counts().waiting, 2);
    let person = scene.guest(1);
    let room = scene.next_room(&back[0], &person);
    let effects = [back[0].paired(room, "open", &person), person.paired(room, "open", &back[0])];
    scene.expect(person.enters("open"), effects);
}

/// A robot comes into a full queue only if somebody there is paired with it at once: an earlier
/// robot is not.
#[test]
fn a_full_queue_of_robots_is_full_for_a_robot() {
    let mut scene = Scene::with(Config { waiting_per_topic: 1, ..Config::default() });
    let robot = scene.guest(ROBOT);
    scene.send(robot.enters("chess"));
    let late = scene.guest(ROBOT + 1);
    scene.expect(late.enters("chess"), [late.refused(Refusal::QueueFull)]);
    let person = scene.guest(1);
    let room = scene.next_room(&robot, &person);
    let effects = [robot.paired(room, "chess", &person), person.paired(room, "chess", &robot)];
    scene.expect(person.enters("chess"), effects);
}
