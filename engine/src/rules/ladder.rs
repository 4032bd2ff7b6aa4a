//! A ladder as the engine runs it: contract section 4.

use super::condition::{Condition, Tree};
use super::fact::{Fact, Groups, PROFILE, View};
use crate::facts::instant::{DAY, Day, Instant};
use serde::Deserialize;

/// Whether places are in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Ordered, lowest rung first.
    Ladder,
    /// The first rung that holds.
    Segment,
}

/// What a rung asks of those below it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Climb {
    /// A rung needs all rungs below it.
    Cumulative,
    /// A rung stands alone.
    Free,
}

/// What happens when the target falls below the standing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Down {
    /// Nothing.
    Never,
    /// The standing falls at once.
    Now,
    /// It falls at the end of a grace of so many days, of 24 hours each; by one rung or all the way.
    Grace {
        /// At least 1.
        days: i64,
        /// By one rung.
        one: bool,
    },
}

impl Down {
    /// The length of the grace that began at an instant, as the instant at which it ends.
    pub fn grace_from(self, instant: Instant) -> Option<Instant> {
        match self {
            Down::Grace { days, .. } => Some(instant.saturating_add(days.saturating_mul(DAY))),
            _ => None,
        }
    }
}

/// A fact that a rule names: as it is written there, and as it is read.
#[derive(Clone, Debug)]
pub struct Named {
    /// The key in `because` and `next`.
    pub text: Box<str>,
    /// What is read.
    pub fact: Fact,
}

/// A rung.
#[derive(Clone, Debug)]
pub struct Rung {
    /// Its id.
    pub id: Box<str>,
    /// Its rule, as it stands in the definition.
    pub when: Box<str>,
    /// The same, to evaluate.
    pub condition: Condition,
    /// The facts that the rule names, each spelling once, in the order of the text.
    pub facts: Box<[Named]>,
    /// It covers the others while it holds.
    pub is_override: bool,
    /// A word for marketing.
    pub suggest: Option<Box<str>>,
}

/// A rung as it is handed over.
#[derive(Debug, Deserialize)]
pub struct RungTree {
    id: Box<str>,
    when: Box<str>,
    tree: Tree,
    /// Text, name and arguments.
    facts: Vec<(Box<str>, Box<str>, Vec<i64>)>,
    #[serde(rename = "override")]
    is_override: bool,
    suggest: Option<Box<str>>,
}

/// A ladder as it is handed over: JSON.
#[derive(Debug, Deserialize)]
pub struct LadderTree {
    id: Box<str>,
    version: u64,
    kind: Kind,
    climb: Climb,
    down: Down,
    rungs: Vec<RungTree>,
}

/// A ladder or segment. Places among its rungs count from 0 here.
#[derive(Clone, Debug)]
pub struct Ladder {
    /// Its id.
    pub id: Box<str>,
    /// Its version.
    pub version: u64,
    /// Whether places are in order.
    pub kind: Kind,
    /// What a rung asks of those below it.
    pub climb: Climb,
    /// What a target below the standing does.
    pub down: Down,
    /// The rungs in the order of the definition.
    pub rungs: Box<[Rung]>,
    /// The places of the rungs that are no overrides, lowest first.
    pub steps: Box<[usize]>,
    /// The places of the overrides.
    pub overrides: Box<[usize]>,
    /// The groups of facts that it depends on.
    pub groups: Groups,
}

impl Ladder {
    /// Take a ladder that was handed over; the error names the rung, and what is unknown in it.
    pub fn from_tree(tree: LadderTree) -> Result<Ladder, String> {
        let rungs = tree
            .rungs
            .into_iter()
            .map(|rung| {
                let id = rung.id.clone();
                Rung::from_tree(rung).map_err(|why| format!("ladder {}, {id}: {why}", tree.id))
            })
            .collect::<Result<Box<[Rung]>, String>>()?;
        if rungs.len() >= usize::from(u16::MAX) {
            return Err(format!("ladder {} has {} rungs", tree.id, rungs.len()));
        }
        let (overrides, steps): (Vec<usize>, Vec<usize>) =
            (0..rungs.len()).partition(|&place| rungs[place].is_override);
        let facts = rungs.iter().flat_map(|rung| &rung.facts);
        let groups = facts.fold(0, |groups, named| groups | named.fact.group());
        Ok(Ladder {
            id: tree.id,
            version: tree.version,
            kind: tree.kind,
            climb: tree.climb,
            down: if tree.kind == Kind::Segment { Down::Now } else { tree.down },
            rungs,
            steps: steps.into(),
            overrides: overrides.into(),
            groups,
        })
    }

    /// What the rules say: the place of the target, counted from 1; 0 for none.
    pub fn target(&self, view: View<'_>) -> u16 {
        let holds = |&&step: &&usize| self.rungs[step].condition.holds(view);
        let place = match (self.kind, self.climb) {
            (Kind::Segment, _) => self.steps.iter().find(holds),
            (Kind::Ladder, Climb::Free) => self.steps.iter().rev().find(holds),
            (Kind::Ladder, Climb::Cumulative) => self.steps.iter().take_while(holds).last(),
        };
        place.map_or(0, |&place| counted(place))
    }

    /// The first override that holds, counted from 1; 0 for none.
    pub fn covered_by(&self, view: View<'_>) -> u16 {
        let found = self.overrides.iter().find(|&&place| self.rungs[place].condition.holds(view));
        found.map_or(0, |&place| counted(place))
    }

    /// The next step above a place counted from 1, counted from 0; None at the top, for segments
    /// and for none.
    pub fn above(&self, place: u16) -> Option<usize> {
        if self.kind == Kind::Segment || place == 0 {
            return None;
        }
        self.steps.iter().copied().find(|&step| step >= place.into())
    }

    /// The places (from 0) entered on the way up, lowest first, or left on the way down.
    pub fn passed(&self, before: u16, after: u16) -> impl Iterator<Item = usize> {
        let told = self.kind == Kind::Ladder && self.climb == Climb::Cumulative;
        let (low, high) = (usize::from(before.min(after)), usize::from(before.max(after)));
        let between = move |&step: &usize| told && low <= step && step < high;
        let (up, down) = if after > before {
            (&*self.steps, [].as_slice())
        } else {
            ([].as_slice(), &*self.steps)
        };
        let upwards = up.iter().copied().filter(between);
        upwards.chain(down.iter().rev().copied().filter(between))
    }

    /// The word for a step from one place to another.
    pub fn direction(&self, before: u16, after: u16) -> &'static str {
        match self.kind {
            Kind::Segment => "moved",
            Kind::Ladder if after > before => "up",
            Kind::Ladder => "down",
        }
    }

    /// Whether the ladder names an attribute.
    pub fn has_attributes(&self) -> bool {
        self.groups & PROFILE != 0
    }

    /// The cuts that the ladder names: percent and days.
    pub fn tops(&self) -> impl Iterator<Item = (u32, Day)> {
        self.rungs.iter().flat_map(|rung| &rung.facts).filter_map(|named| match named.fact {
            Fact::TopSpender(percent, days) => Some((percent, days)),
            _ => None,
        })
    }
}

impl Rung {
    fn from_tree(tree: RungTree) -> Result<Rung, String> {
        let named = |(text, name, args): (Box<str>, Box<str>, Vec<i64>)| {
            let fact = Fact::named(&name, &args).ok_or(format!("no fact is named {name}"))?;
            Ok(Named { text, fact })
        };
        Ok(Rung {
            id: tree.id,
            when: tree.when,
            condition: Condition::from_tree(tree.tree)?,
            facts: tree.facts.into_iter().map(named).collect::<Result<_, String>>()?,
            is_override: tree.is_override,
            suggest: tree.suggest,
        })
    }
}

/// A place among the rungs, counted from 1.
pub fn counted(place: usize) -> u16 {
    // `Ladder::from_tree` takes no ladder with more rungs.
    u16::try_from(place + 1).unwrap_or(u16::MAX)
}
