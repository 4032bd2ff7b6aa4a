//! Streams of events: few customers and ids, and many edges of days.

use engine::facts::instant::{DAY, Instant, SECOND};
use engine::rules::shop::Rules;
use engine::wire::event::{Attribute, Currency, Data, Event, ReviewKind};
use proptest::prelude::*;
use proptest::sample::select;

/// 2024-02-27T22:00:00Z
pub const START: Instant = 1_709_071_200 * SECOND;
const HOUR: Instant = 3_600 * SECOND;
const CUSTOMERS: [&str; 4] = ["a", "b", "c", "d"];
const CURRENCIES: [Currency; 2] = [*b"VND", *b"USD"];

fn few(prefix: &'static str) -> impl Strategy<Value = Box<str>> {
    (0..6).prop_map(move |number| format!("{prefix}{number}").into())
}

fn somebody() -> impl Strategy<Value = Box<str>> {
    select(&CUSTOMERS[..]).prop_map(Box::from)
}

fn attributes() -> impl Strategy<Value = Option<Attribute>> {
    prop::option::weighted(
        0.8,
        prop_oneof![
            any::<bool>().prop_map(Attribute::Bool),
            any::<i64>().prop_map(Attribute::Int),
            (-1e300..1e300).prop_map(Attribute::Float),
            "\\PC{0,20}".prop_map(|text| Attribute::Text(text.into())),
            prop::collection::vec("\\PC{0,5}".prop_map(Box::from), 0..4)
                .prop_map(|texts| Attribute::List(texts.into())),
        ],
    )
}

fn reviews() -> impl Strategy<Value = Data> {
    const KINDS: [ReviewKind; 4] =
        [ReviewKind::Review, ReviewKind::Testimonial, ReviewKind::Defence, ReviewKind::Complaint];
    let rating = prop::option::of(select(&[1.0, 2.0, 2.5, 4.0, 5.0][..]));
    (few("r"), rating, select(&KINDS[..]))
        .prop_map(|(review_id, rating, kind)| Data::ReviewPosted { review_id, rating, kind })
}

fn placements(rules: &Rules) -> impl Strategy<Value = Data> + use<> {
    let places: Vec<(Box<str>, Option<Box<str>>)> = rules
        .ladders
        .iter()
        .flat_map(|ladder| {
            let rungs = ladder.rungs.iter().map(|rung| Some(rung.id.clone()));
            rungs.chain([None]).map(|rung| (ladder.id.clone(), rung))
        })
        .collect();
    let until = prop::option::of((1..90_i64).prop_map(|days| START + days * DAY));
    (select(places), until).prop_map(|((ladder, rung), until)| Data::ProfilePlaced {
        ladder,
        rung,
        until,
    })
}

fn purchases() -> impl Strategy<Value = Data> {
    let amounts = select(&[0, 1, 100, 250, 500, 1_000, 1_000_000_000_000_000][..]);
    let order = (few("o"), amounts, select(&CURRENCIES[..]), 1..5_i64);
    order.prop_map(|(order_id, amount, currency, units)| Data::PurchaseCompleted {
        order_id,
        amount: if currency == *b"USD" { amount.min(1_000) } else { amount },
        currency,
        units,
    })
}

fn data(rules: &Rules) -> impl Strategy<Value = Data> + use<> {
    let part = (few("o"), select(&[1, 100, 250, 1_000][..]), select(&CURRENCIES[..]));
    let refunds = part.prop_map(|(order_id, amount, currency)| Data::PurchaseRefunded {
        order_id,
        amount,
        currency,
    });
    let amount = prop::option::of(0..1_000_i64);
    let conversions = (few("f"), amount).prop_map(|(referred_id, amount)| {
        let currency = amount.map(|_| *b"VND");
        Data::ReferralConverted { referred_id, amount, currency }
    });
    let referrer = prop::option::of(somebody());
    let profile = prop::collection::vec((select(&["city", "vip"][..]), attributes()), 1..3);
    let profile = profile.prop_map(|found| Data::ProfileUpdated {
        attributes: found.into_iter().map(|(name, value)| (name.into(), value)).collect(),
    });
    prop_oneof![
        8 => purchases(),
        3 => refunds,
        2 => referrer.prop_map(|referred_by| Data::Registered { referred_by }),
        1 => Just(Data::Inquired),
        1 => select(&["silver", "gold"][..]).prop_map(|it| Data::CardIssued { tier: it.into() }),
        1 => Just(Data::CardRevoked),
        3 => reviews(),
        1 => few("r").prop_map(|review_id| Data::ReviewRemoved { review_id }),
        1 => Just(Data::ReferralSent),
        3 => conversions,
        1 => few("f").prop_map(|referred_id| Data::ReferralReversed { referred_id }),
        2 => (1..5_u8).prop_map(|need| Data::InteractionSeen { need }),
        2 => profile,
        1 => somebody().prop_map(|into| Data::ProfileMerged { into }),
        1 => Just(Data::ProfileErased),
        2 => placements(rules),
    ]
}

/// Events of all kinds in the order in which they are applied; some come late.
pub fn streams(rules: &Rules) -> impl Strategy<Value = Vec<Event>> + use<> {
    const GAPS: [Instant; 10] = [0, 0, 1, HOUR, HOUR, DAY, 2 * DAY, 5 * DAY, 40 * DAY, 400 * DAY];
    let late = prop_oneof![5 => Just(0), 1 => select(&[HOUR, DAY, 9 * DAY, 1_200 * DAY][..])];
    let one = (somebody(), data(rules), select(&GAPS[..]), late);
    prop::collection::vec(one, 1..60).prop_map(|told| {
        let mut now = START;
        let event = |(number, (subject, data, gap, late))| {
            now += gap;
            let id = format!("e{number}").into();
            Event { source: "/shop".into(), id, subject, time: now - late, data }
        };
        (0..).zip(told).map(event).collect()
    })
}
