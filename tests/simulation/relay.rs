//! A relay: the real lobby, tokens and translation, without sockets.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant, SystemTime},
};

use relay::{
    lobby::{
        Arrival, Config, ConnectionId, DisconnectReason, Effect, Event, Lobby, Member, News, Owner,
    },
    token::Tokens,
    translate::{self, ClientRequest},
};
use shared::{
    codec,
    limits::{EnterRates, Limits, MESSAGE_RATE, PLACE_KEPT},
    message::{ClientMessage, ErrorCode, RelayMessage, SessionGrant, Welcome},
    text::fold_topic,
};

use crate::{places::Places, random::Random, rules::Rule};

/// What goes out on a connection.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Item {
    Frame(Vec<u8>),
    /// The end of the stream.
    End,
}

#[derive(Debug)]
pub(crate) struct Relay {
    pub(crate) lobby: Lobby,
    tokens: Tokens,
    epoch: u64,
    limits: Limits,
    carriers: BTreeMap<ConnectionId, Carrier>,
    ablated: Option<Rule>,
    pub(crate) passed_on: u64,
    pub(crate) places: Places,
    /// When a client presents another ticket than it should.
    cheats: Random,
}

#[derive(Debug)]
struct Carrier {
    owner: Option<Owner>,
    holder: Option<Member>,
}

/// Now, by both clocks.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Clock {
    pub(crate) instant: Instant,
    pub(crate) wall: SystemTime,
}

/// Which relay it is: of this world, and to those who hold its tokens.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Run {
    pub(crate) number: u64,
    pub(crate) epoch: u64,
    pub(crate) chance: u64,
}

pub(crate) type Outgoing = Vec<(ConnectionId, Item)>;

impl Relay {
    /// A relay that knows only its key. `replaces`: whether an earlier one has left that key.
    pub(crate) fn start(
        run: Run,
        key: &[u8; 32],
        replaces: bool,
        now: Instant,
        places: Places,
        rule: Option<Rule>,
    ) -> Self {
        let Run { number, epoch, chance } = run;
        let config = Config {
            epoch,
            message_rate: Some(MESSAGE_RATE),
            next_rate: None,
            enter_rates: EnterRates::default(),
            place_kept: Some(PLACE_KEPT).filter(|_| rule != Some(Rule::KeptPlace)),
            pairing_from: replaces.then(|| now + Duration::from_secs(2)),
            grace: if rule == Some(Rule::HalfOpenExpiry) {
                Duration::from_secs(100_000)
            } else {
                shared::limits::GRACE
            },
            ..Config::default()
        };
        let mut seed = [0; 16];
        seed[..8].copy_from_slice(&number.to_be_bytes());
        Self {
            lobby: Lobby::new(config, seed),
            tokens: Tokens::new(key),
            epoch,
            limits: Limits {
                message_rate: Some(MESSAGE_RATE),
                next_rate: None,
                window_messages: 8,
                ..Limits::default()
            },
            carriers: BTreeMap::new(),
            ablated: rule,
            passed_on: 0,
            places,
            cheats: Random::new(chance),
        }
    }

    pub(crate) fn accept(&mut self, connection: ConnectionId) {
        self.carriers.insert(connection, Carrier { owner: None, holder: None });
    }

    pub(crate) fn gone(&mut self, connection: ConnectionId, now: Clock) -> Outgoing {
        match self.carriers.remove(&connection) {
            Some(Carrier { owner: Some(_), holder }) => {
                self.tell_of(holder, Event::Gone(connection), None, now)
            }
            Some(_) | None => Vec::new(),
        }
    }

    /// Fresh tokens, as every live connection gets them each hour.
    pub(crate) fn refresh(&mut self, connection: ConnectionId, now: Clock) -> Outgoing {
        self.tell(Event::Refresh(connection), None, now)
    }

    pub(crate) fn tick(&mut self, now: Clock) -> Outgoing {
        self.tell(Event::Tick, None, now)
    }

    pub(crate) fn slept(&mut self, duration: Duration, now: Clock) -> Outgoing {
        self.tell_of(None, Event::Slept(duration), None, now)
    }

    /// A frame of a client.
    pub(crate) fn frame(&mut self, from: ConnectionId, frame: &[u8], now: Clock) -> Outgoing {
        let Some(carrier) = self.carriers.get_mut(&from) else { return Vec::new() };
        let Ok(message) = codec::decode_client(frame) else { panic!("shims write well") };
        if carrier.owner.is_none() {
            let ClientMessage::Hello(mut hello) = message else {
                return self.fail(from, ErrorCode::OutOfOrder, now);
            };
            if self.ablated == Some(Rule::RepeatedLeave)
                && let Some(session) = &mut hello.session
            {
                session.leaving.clear();
            }
            let owner = Owner { uid: 1_000, id: hello.owner.expect("shims carry sessions") };
            carrier.owner = Some(owner);
            let arrival = translate::arrival(&self.tokens, owner, &hello, now.wall);
            let arrival = arrival.expect("shims say hello well");
            let holder = arrival.session.map(|session| Member { session, owner });
            return self.tell_of(holder, Event::Arrived(from, arrival), None, now);
        }
        let holder = carrier.holder;
        match translate::request(&self.tokens, from, holder, message, now.wall) {
            Ok(ClientRequest::Tell(event)) => self.tell_of(holder, event, None, now),
            Ok(ClientRequest::PassOn(event, passed_on)) => {
                self.tell_of(holder, event, Some(&passed_on), now)
            }
            Ok(ClientRequest::Answer(message)) => vec![(from, encode(&message))],
            Ok(ClientRequest::Status(_) | ClientRequest::Stop) => {
                unreachable!("shims do not ask for these")
            }
            Err(fault) => self.fail(from, fault.code, now),
        }
    }

    fn fail(&mut self, connection: ConnectionId, code: ErrorCode, now: Clock) -> Outgoing {
        let error = RelayMessage::Error { code, message: "simulated".into(), newest: None };
        let mut outgoing = vec![(connection, encode(&error)), (connection, Item::End)];
        outgoing.extend(self.gone(connection, now));
        outgoing
    }

    /// What a session says: the reference hears it as it was said.
    fn tell_of(
        &mut self,
        from: Option<Member>,
        mut event: Event,
        passed_on: Option<&RelayMessage<'_>>,
        now: Clock,
    ) -> Outgoing {
        if let Some(from) = from {
            self.cheat(from, &mut event, now);
        }
        self.places.event(now.instant, from, &event);
        self.ablate(&mut event);
        self.tell(event, passed_on, now)
    }

    /// Now and then a client presents a ticket that it had once, maybe for another topic.
    fn cheat(&mut self, from: Member, event: &mut Event, now: Clock) {
        let (Event::EnterQueue(_, ticket, seeking, _)
        | Event::Arrived(_, Arrival { queue: Some((ticket, seeking)), .. })) = event
        else {
            return;
        };
        let had = self.places.places_of(from.session);
        if had.is_empty() || !self.cheats.permille(200) {
            return;
        }
        let (opening, queue) = &had[self.cheats.below(had.len())];
        let token = self.tokens.ticket(from, *opening, queue, now.wall);
        let is_for_any = self.ablated == Some(Rule::TicketOfATopic);
        let wanted = if is_for_any { queue.clone() } else { fold_topic(&seeking.topic) };
        *ticket = self.tokens.read_ticket(&token, from, &wanted, now.wall);
    }

    fn ablate(&self, event: &mut Event) {
        if let Event::EnterQueue(_, _, _, blocks)
        | Event::Next(_, _, _, blocks)
        | Event::Arrived(_, Arrival { blocks, .. }) = event
            && self.ablated == Some(Rule::PresentedBlocks)
        {
            blocks.clear();
        }
        // One that nobody has, and not spent: as good as the one that is.
        if let Event::EnterQueue(_, Some(ticket), ..)
        | Event::Arrived(_, Arrival { queue: Some((Some(ticket), _)), .. }) = event
            && self.ablated == Some(Rule::SpentTicket)
        {
            ticket.number += 1;
        }
    }

    fn tell(&mut self, event: Event, passed_on: Option<&RelayMessage<'_>>, now: Clock) -> Outgoing {
        let acknowledged = match (&event, self.ablated) {
            (Event::Message { from, room, seq }, Some(Rule::EndToEndAck)) => {
                let ack = RelayMessage::Ack { room_id: *room, received: *seq, read: 0 };
                Some((*from, encode(&ack)))
            }
            _ => None,
        };
        let effects = self.lobby.handle(now.instant, event);
        self.lobby.check_invariants();
        let mut outgoing: Outgoing = acknowledged.into_iter().collect();
        for (to, effect) in effects {
            self.perform(to, effect, passed_on, now, &mut outgoing);
        }
        outgoing
    }

    fn perform(
        &mut self,
        to: ConnectionId,
        effect: Effect,
        passed_on: Option<&RelayMessage<'_>>,
        now: Clock,
        outgoing: &mut Outgoing,
    ) {
        match effect {
            Effect::Forward => {
                let message = passed_on.expect("only what was passed on is forwarded");
                self.passed_on += u64::from(matches!(message, RelayMessage::Message { .. }));
                outgoing.push((to, encode(message)));
            }
            Effect::Welcome { session, resumed } => {
                let effect = Effect::Welcome { session, resumed };
                let Some(carrier) = self.carriers.get_mut(&to) else { return };
                let owner = carrier.owner.expect("only who has arrived is welcome");
                let holder = Member { session, owner };
                carrier.holder = Some(holder);
                let token = self.tokens.session(holder, now.wall).into();
                let welcome = Welcome {
                    version: 1,
                    epoch: self.epoch,
                    build: "simulated".into(),
                    limits: Box::new(self.limits.clone()),
                    session: Some(SessionGrant { session_id: session, token, resumed }),
                };
                self.places.effect(now.instant, holder, &effect);
                outgoing.push((to, encode(&RelayMessage::Welcome(welcome))));
            }
            Effect::Disconnect(reason) => {
                let effect = Effect::Disconnect(reason);
                let is_honest = self.ablated.is_none();
                let is_flood = reason == DisconnectReason::RateExceeded;
                assert!(!(is_honest && is_flood), "an honest client is cut off for a flood");
                let carrier = self.carriers.remove(&to);
                if let Some(holder) = carrier.and_then(|carrier| carrier.holder) {
                    self.places.effect(now.instant, holder, &effect);
                }
                let fault = translate::disconnected(reason);
                let error =
                    RelayMessage::Error { code: fault.code, message: fault.message, newest: None };
                outgoing.push((to, encode(&error)));
                outgoing.push((to, Item::End));
            }
            Effect::Tell(news) => {
                if self.ablated == Some(Rule::SyncAfterAttach) && matches!(news, News::Sync { .. })
                {
                    return;
                }
                let Some(holder) = self.carriers.get(&to).and_then(|carrier| carrier.holder) else {
                    return;
                };
                let effect = Effect::Tell(news);
                self.places.effect(now.instant, holder, &effect);
                let Effect::Tell(news) = effect else { return };
                let message = translate::outgoing(&self.tokens, holder, news, now.wall);
                outgoing.push((to, encode(&message)));
            }
        }
    }
}

fn encode(message: &RelayMessage<'_>) -> Item {
    let mut frame = Vec::new();
    codec::encode(message, &mut frame);
    frame.pop();
    Item::Frame(frame)
}
