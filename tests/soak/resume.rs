//! How long raw clients need to be in their rooms again after one kill of the relay. They speak
//! the wire protocol themselves: a thousand processes would measure the machine.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use shared::{
    codec,
    connection::Connection,
    endpoint::{Endpoint, Stream},
    id::{OwnerId, RoomId},
    limits::{HANDSHAKE, RECONNECT},
    message::{ClientMessage, Hello, RelayMessage, Resume, RoomClaim},
    version,
};
use tests::{BINARIES, Signal, World, is_running, signal};
use tokio::{
    sync::{mpsc, watch},
    task::JoinSet,
    time::{sleep, timeout},
};

use crate::tally;

/// What is wanted of the 99th of a hundred.
const WANTED: Duration = Duration::from_secs(3);
const TOO_LONG: Duration = Duration::from_secs(60);

/// Returns whether it was fast enough in every round.
pub(crate) fn run(clients: usize, rounds: usize) -> bool {
    let clients = clients / 2 * 2;
    let most = clients + 100;
    let most = most.to_string();
    let options = [
        ("max-connections-per-user", most.as_str()),
        ("message-rate", "off"),
        ("pairing-delay", "100ms"),
        ("listening-for", "10m"),
    ];
    let world = World::serving(&options);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(all(world, clients, rounds))
}

async fn all(world: World, clients: usize, rounds: usize) -> bool {
    let endpoint = Arc::new(Endpoint::resolve(Some(&world.socket())).unwrap());
    let (kill, killed) = watch::channel(Instant::now());
    let (back, mut resumed) = mpsc::unbounded_channel();
    let mut tasks = JoinSet::new();
    for index in 0..clients {
        let (endpoint, killed, back) = (Arc::clone(&endpoint), killed.clone(), back.clone());
        tasks.spawn(Client { endpoint, index, killed, back, claim: None }.live());
    }
    let mut relays = Vec::new();
    let mut is_well = true;
    for round in 0..=rounds {
        let mut times = Vec::new();
        while times.len() < clients
            && let Ok(Some(time)) = timeout(TOO_LONG, resumed.recv()).await
        {
            times.push(time);
        }
        let missing = clients - times.len();
        let rooms = world.status()["rooms"].clone();
        is_well &= missing == 0 && rooms == clients / 2;
        if round > 0 {
            times.sort_unstable();
            is_well &= missing == 0 && tally::percentile(&times, 99) < WANTED;
            let times = tally::describe(times);
            println!(
                "round {round}: {rooms} rooms of {clients} sessions: {times}, {missing} missing"
            );
        }
        if round == rounds || !is_well {
            break;
        }
        let pid = world.relay_pid();
        kill.send_replace(Instant::now());
        signal(pid, Signal::KILL);
        // As the first shim to notice would, but the lock is free only then.
        while is_running(pid) {
            sleep(Duration::from_millis(1)).await;
        }
        let mut relay = world.command(&BINARIES.relay);
        relay.arg("serve").stderr(std::process::Stdio::null());
        relays.push(relay.spawn().unwrap());
    }
    tasks.abort_all();
    for mut relay in relays {
        let _ = relay.kill();
        let _ = relay.wait();
    }
    is_well
}

/// What a session holds of itself and its room.
struct Claim {
    session: String,
    room: RoomId,
    token: String,
}

struct Client {
    endpoint: Arc<Endpoint>,
    index: usize,
    killed: watch::Receiver<Instant>,
    back: mpsc::UnboundedSender<Duration>,
    claim: Option<Claim>,
}

impl Client {
    async fn live(mut self) {
        loop {
            let mut pause = RECONNECT.0;
            let mut connection = loop {
                if let Some(connection) = self.arrive().await {
                    break connection;
                }
                // As a shim does: doubled, with jitter.
                let mut byte = [0];
                getrandom::fill(&mut byte).unwrap();
                sleep(pause / 2 + pause.mul_f64(f64::from(byte[0]) / 512.0)).await;
                pause = (pause * 2).min(RECONNECT.1);
            };
            let since = *self.killed.borrow();
            let _ = self.back.send(since.elapsed());
            while let Ok(Some(_)) = connection.receive_frame().await {}
        }
    }

    /// Connects and comes as far as a room in which both are.
    async fn arrive(&mut self) -> Option<Connection<Stream>> {
        let mut connection = Connection::new(self.endpoint.connect().await.ok()?);
        let topic = format!("room {}", self.index / 2);
        let session = self.claim.as_ref().map(|claim| Resume {
            token: claim.session.as_str().into(),
            room: Some(RoomClaim {
                room_id: claim.room,
                token: claim.token.as_str().into(),
                received: 0,
                display_name: "Stranger".into(),
                topic: topic.as_str().into(),
            }),
            queue: None,
            leaving: Vec::new(),
        });
        let resumes = session.is_some();
        let mut owner = [0; 16];
        owner[..8].copy_from_slice(&(self.index as u64 + 1).to_le_bytes());
        let hello = Hello {
            min: version::OLDEST,
            max: version::NEWEST,
            build: "soak".into(),
            owner: Some(OwnerId::from_bytes(owner)),
            session,
            blocks: Vec::new(),
            robot: false,
        };
        let welcome = timeout(HANDSHAKE, connection.handshake(hello)).await.ok()?.ok()?;
        let grant = welcome.session?;
        assert_eq!(grant.resumed, resumes, "the session token was refused");
        if !resumes {
            let display_name = "Stranger".into();
            let enter = ClientMessage::EnterQueue {
                display_name,
                topic: topic.into(),
                ticket: None,
                blocks: Vec::new(),
            };
            connection.send(&enter).await.ok()?;
        }
        loop {
            let frame = connection.receive_frame().await.ok()??;
            let message = codec::decode_relay(&frame).ok()?;
            if let RelayMessage::Sync { .. } = message {
                // Both are there again.
                return Some(connection);
            }
            if let RelayMessage::Closed { .. } | RelayMessage::Error { .. } = message {
                return None;
            }
            if let RelayMessage::Paired(paired) = message {
                let session = grant.token.to_string();
                let token = paired.token.into_owned();
                self.claim = Some(Claim { session, room: paired.room_id, token });
                if !resumes {
                    return Some(connection);
                }
            }
        }
    }
}
