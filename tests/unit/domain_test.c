/* SPDX-License-Identifier: MIT */
/* Tests of src/domain with fake domains: threads without a heap, more of them
 * than cores. Each has a plain counter that stands for its heap: it writes it
 * while RUNNING, and leaders and helpers write everybody's while the world is
 * stopped. So an error in the protocol shows as a wrong sum, as a broken DOM-2
 * in check_stopped, as a data race under TSan, or as a test that does not end.
 *
 * A fake domain looks for stops only when its young_limit says so, as compiled
 * code does: a lost interrupt hangs the test. */
#include "unit.h"

#include "domain/domain.h"
#include "domain/stw.h"
#include "os/os.h"
#include "sync/atomic.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>

enum { FAKES = 10, TABLE = 16, HELPERS = 2 };

/* Sanitizers slow us down by an order of magnitude. */
enum { SCALE = UNIT_SANITIZED ? 1 : 4 };

struct fake {
  struct domain d;
  struct window w;
  struct rng rng;
  pthread_t thread;
  void (*body)(struct fake *f);
  value nursery[8];
  uint64_t heap;        /* [own, stw] */
  uint64_t steps;       /* [own] how often the body added 1 to heap */
  uint32_t acks;        /* [atomic] requests seen */
};

static struct {
  uint64_t sections;    /* [stw] sections led */
  uint64_t added;       /* [stw] what leaders and helpers added to heaps */
  uint64_t led;         /* [atomic] stw_run that answered true */
  uint32_t stop;        /* [atomic] bodies that loop end */
  uint32_t started;     /* [atomic] threads that have begun */
  uint32_t running;     /* [atomic] bodies that have begun */
  uint32_t together;    /* [const] bodies start when so many threads have begun */
} world;

/* ---- Fake domains ---- */

static bool fake_ready(struct domain *d, void *arg) { return arg == NULL; }
static void fake_gone(struct domain *d, void *arg)
{
  EXPECT(!world_is_stopped());
  EXPECT(lock_is_held(&bac_domains.world));
}

static bool fake_enter(struct fake *f, uint64_t seed)
{
  f->d = (struct domain){ .window = &f->w };
  f->w = (struct window){
    .young_ptr = f->nursery + 8, .young_start = f->nursery, .young_end = f->nursery + 8, .young_trigger = f->nursery,
    .young_limit = (uintnat)f->nursery,
  };
  f->rng.state = seed;
  f->heap = f->steps = f->acks = 0;
  return domain_enter(&f->d, fake_ready, NULL);
}

static void fake_poll(struct fake *f)
{
  if (!domain_has_interrupts(&f->d)) return;
  uint32_t wants = domain_take_interrupts(&f->d);
  if (wants & DOMAIN_WANT_USER) {
    add_seq(&f->acks, 1);
    os_wake(&f->acks, 1);
  }
  domain_safepoint(&f->d);
}

static void fake_step(struct fake *f)
{
  f->heap++;
  f->steps++;
}

static void *fake_thread(void *arg)
{
  struct fake *f = arg;
  domain_set_self(&f->d);
  add_seq(&world.started, 1);
  while (load_seq(&world.started) < world.together) os_yield();
  domain_leave_blocking(&f->d);
  f->body(f);
  domain_leave(&f->d, fake_gone, NULL);
  EXPECT(domain_self() == NULL);
  return NULL;
}

/* The caller is in a blocking section or has no domain. */
static void fake_start(struct fake *f, void (*body)(struct fake *))
{
  f->body = body;
  CHECK(fake_enter(f, rng_next(&unit_rng)));
  CHECK(pthread_create(&f->thread, NULL, fake_thread, f) == 0);
}

static void init_once(void)
{
  static bool done;
  if (!done) CHECK(domains_init(TABLE, HELPERS));
  done = true;
  memset(&world, 0, sizeof world);
}

static void run_fakes(struct fake *fakes, int count, void (*body)(struct fake *))
{
  init_once();
  world.together = (uint32_t)count;
  for (int i = 0; i < count; i++) fake_start(&fakes[i], body);
  for (int i = 0; i < count; i++) pthread_join(fakes[i].thread, NULL);
  EXPECT_EQ(bac_domains.count, 0);
}

static uint64_t sum_heaps(const struct fake *fakes, int count)
{
  uint64_t sum = 0;
  for (int i = 0; i < count; i++) sum += fakes[i].heap;
  return sum;
}

static uint64_t sum_steps(const struct fake *fakes, int count)
{
  uint64_t sum = 0;
  for (int i = 0; i < count; i++) sum += fakes[i].steps;
  return sum;
}

/* ---- DOM-2, and sections from many leaders ---- */

static void check_stopped(struct domain *leader)
{
  EXPECT(world_is_stopped());
  for_each_domain(d)
    if (d != leader) EXPECT_EQ(load_seq(&d->state), DOMAIN_STOPPED);
}

static void touch_all_heaps(struct domain *leader, void *arg)
{
  check_stopped(leader);
  for_each_domain(d) {
    container_of(d, struct fake, d)->heap++;
    world.added++;
  }
  if (world.sections++ % 64 == 0) os_yield();
  check_stopped(leader);
}

static void lead(struct fake *f, void (*leader)(struct domain *, void *))
{
  if (stw_run(&f->d, leader, NULL)) add_seq(&world.led, 1);
}

static void body_mixed(struct fake *f)
{
  for (int i = 0; i < 600 * SCALE; i++) {
    switch (rng_below(&f->rng, 16)) {
    case 0: lead(f, touch_all_heaps); break;
    case 1:
    case 2:
      domain_enter_blocking(&f->d);
      if (rng_below(&f->rng, 8) == 0) os_yield();
      domain_leave_blocking(&f->d);
      break;
    default: fake_step(f); break;
    }
    fake_poll(f);
  }
}

TEST(sections_from_many_leaders)
{
  static struct fake fakes[FAKES];
  run_fakes(fakes, FAKES, body_mixed);
  EXPECT_EQ(world.sections, world.led);
  EXPECT_EQ(sum_heaps(fakes, FAKES), sum_steps(fakes, FAKES) + world.added);
  EXPECT(world.led > 0);
}

/* All want to lead all the time. */
static void body_leads(struct fake *f)
{
  for (int i = 0; i < 50 * SCALE; i++) {
    lead(f, touch_all_heaps);
    fake_step(f);
  }
}

TEST(everybody_leads)
{
  static struct fake fakes[FAKES];
  run_fakes(fakes, FAKES, body_leads);
  EXPECT_EQ(world.sections, world.led);
  EXPECT_EQ(sum_heaps(fakes, FAKES), sum_steps(fakes, FAKES) + world.added);
}

/* One domain leads without a pause; the others only go in and out of blocking
 * sections and must nevertheless get on, and must not hold the leader up though
 * they have no safepoint. */
static void body_blocks_only(struct fake *f)
{
  for (int i = 0; i < 300 * SCALE || load_seq(&world.led) < 10 * SCALE; i++) {
    domain_enter_blocking(&f->d);
    domain_leave_blocking(&f->d);
    fake_step(f);
  }
  add_seq(&world.stop, 1);
}

static void body_leads_on(struct fake *f)
{
  while (load_seq(&world.stop) < FAKES - 1) lead(f, touch_all_heaps);
}

static void body_leader_and_blockers(struct fake *f)
{
  if (f->d.slot == 0) body_leads_on(f);
  else body_blocks_only(f);
}

TEST(blocking_domains_get_on)
{
  static struct fake fakes[FAKES];
  run_fakes(fakes, FAKES, body_leader_and_blockers);
  EXPECT_EQ(sum_heaps(fakes, FAKES), sum_steps(fakes, FAKES) + world.added);
}

/* A leader in front of domains that stay blocked for ever needs none of their threads. */
TEST(blocked_domains_hold_nobody_up)
{
  init_once();
  static struct fake leader, idle[4];
  REQUIRE(fake_enter(&leader, 0));
  for (int i = 0; i < 4; i++) REQUIRE(fake_enter(&idle[i], 0));
  domain_set_self(&leader.d);
  domain_leave_blocking(&leader.d);
  for (int i = 0; i < 100; i++) EXPECT(stw_run(&leader.d, touch_all_heaps, NULL));
  for (int i = 0; i < 4; i++) {
    EXPECT_EQ(idle[i].d.state, DOMAIN_BLOCKED);
    EXPECT_EQ(idle[i].heap, 100);
    EXPECT(!domain_has_interrupts(&idle[i].d));
  }
  domain_leave(&leader.d, fake_gone, NULL);
  for (int i = 0; i < 4; i++) {
    domain_set_self(&idle[i].d);
    domain_leave_blocking(&idle[i].d);
    domain_leave(&idle[i].d, fake_gone, NULL);
  }
  EXPECT_EQ(bac_domains.count, 0);
}

static void await_state(struct fake *f, enum domain_state state)
{
  while (load_seq(&f->d.state) != state) os_yield();
}

static void body_sections_end(struct fake *f)
{
  while (f->heap < PASSED_OVER_MAX + 2) fake_poll(f);
}

static void body_stays_running(struct fake *f)
{
  while (load_seq(&world.stop) == 0) os_yield();
}

/* A thread that wants to leave its blocking section in the middle of a leader's
 * section, with the domain claimed, or (planted) just not yet claimed: it does not
 * run before the release. */
static void return_during_section(bool claimed)
{
  init_once();
  static struct fake leader, other;
  REQUIRE(fake_enter(&leader, 0) && fake_enter(&other, 0));
  domain_set_self(&leader.d);
  domain_leave_blocking(&leader.d);
  REQUIRE(stw_begin(&leader.d));
  EXPECT_EQ(other.d.state, DOMAIN_STOPPED);
  if (!claimed) store_seq(&other.d.state, DOMAIN_BLOCKED);
  other.body = body_stays_running;
  REQUIRE(pthread_create(&other.thread, NULL, fake_thread, &other) == 0);
  while (!load_seq(&other.d.waiting)) os_yield();
  usleep(2000);   /* so that it falls asleep */
  EXPECT_EQ(load_seq(&other.d.state), DOMAIN_STOPPED);
  stw_end(&leader.d);
  await_state(&other, DOMAIN_RUNNING);
  store_seq(&world.stop, 1);
  domain_leave(&leader.d, fake_gone, NULL);
  pthread_join(other.thread, NULL);
}

TEST(return_to_a_claimed_domain) { return_during_section(true); }
TEST(return_before_the_claim) { return_during_section(false); }

/* A thread that waits to go on and never gets a core is stopped again without
 * having run, but not for ever: then the release makes it RUNNING, and the next
 * leader has to wait for it. A thread that does not want to go on is never awaited. */
TEST(waiting_thread_is_not_passed_over_for_ever)
{
  init_once();
  static struct fake leader, waits, idle;
  REQUIRE(fake_enter(&leader, 0) && fake_enter(&waits, 0) && fake_enter(&idle, 0));
  bac_domains.stw->cores = 3;   /* with fewer the thread would wait for a turn */
  domain_set_self(&leader.d);
  domain_leave_blocking(&leader.d);
  waits.d.waiting = 1;
  for (int i = 0; i <= PASSED_OVER_MAX; i++) {
    EXPECT_EQ(waits.d.state, DOMAIN_BLOCKED);
    EXPECT(stw_run(&leader.d, touch_all_heaps, NULL));
  }
  EXPECT_EQ(waits.d.state, DOMAIN_RUNNING);
  EXPECT_EQ(idle.d.state, DOMAIN_BLOCKED);
  waits.body = body_sections_end;
  REQUIRE(pthread_create(&waits.thread, NULL, fake_thread, &waits) == 0);
  while (!stw_run(&leader.d, touch_all_heaps, NULL)) {}
  domain_leave(&leader.d, fake_gone, NULL);
  pthread_join(waits.thread, NULL);
  EXPECT(!waits.d.waiting && waits.d.passed_over == 0);
  bac_domains.stw->cores = os_cores();
  domain_set_self(&idle.d);
  domain_leave_blocking(&idle.d);
  domain_leave(&idle.d, fake_gone, NULL);
}

/* Two domains want to lead while the table is locked; when it is free again one
 * leads, and the other, having waited through its section, does not. */
static void body_leads_once(struct fake *f)
{
  add_seq(&world.running, 1);
  while (load_seq(&world.stop) == 0) os_yield();
  lead(f, touch_all_heaps);
  add_seq(&world.running, 1);
  while (load_seq(&world.running) < 4) fake_poll(f), os_yield();
}

/* Runs under the world lock. */
static bool let_lead_and_await(struct domain *d, void *arg)
{
  struct fake *fakes = arg;
  store_seq(&world.stop, 1);
  await_state(&fakes[0], DOMAIN_BLOCKED);
  await_state(&fakes[1], DOMAIN_BLOCKED);
  return false;
}

TEST(waiting_leader_looks_again)
{
  init_once();
  static struct fake fakes[2];
  struct domain dummy = { .window = &fakes[0].w };
  for (int i = 0; i < 2; i++) fake_start(&fakes[i], body_leads_once);
  while (load_seq(&world.running) < 2) os_yield();
  EXPECT(!domain_enter(&dummy, let_lead_and_await, fakes));
  for (int i = 0; i < 2; i++) pthread_join(fakes[i].thread, NULL);
  EXPECT_EQ(world.led, 1);
  EXPECT_EQ(world.sections, 1);
}

/* ---- Turns ---- */

static void check_turns(void)
{
  struct turns *t = &bac_domains.stw->turns;
  uint32_t in_line = 0, held = 0;
  lock_acquire(&t->lock);
  for (struct domain *d = t->first; d != NULL; d = d->turn.next) {
    EXPECT_EQ(d->turn.held, 1);
    in_line++;
  }
  for_each_domain(d) held += load_relaxed(&d->turn.held);
  EXPECT_EQ(in_line, bac_domains.held);
  EXPECT_EQ(in_line, held);
  lock_release(&t->lock);
}

static void check_turns_stw(struct domain *leader, void *arg)
{
  check_stopped(leader);
  check_turns();
}

enum { CROWD = 6 };
static struct fake crowd[CROWD];
static cpu_set_t crowd_cores;

/* All but the first have a thread that waits to go on, it seems, and last ran on the core of crowd[0], which stays where it is, or
 * on another. */
static void crowd_enter(unsigned cores, unsigned elsewhere)
{
  init_once();
  bac_domains.stw->cores = cores;
  cpu_set_t here;
  CPU_ZERO(&here);
  CPU_SET(os_core(), &here);
  sched_getaffinity(0, sizeof crowd_cores, &crowd_cores);
  sched_setaffinity(0, sizeof here, &here);
  for (int i = 0; i < CROWD; i++) {
    REQUIRE(fake_enter(&crowd[i], 0));
    crowd[i].d.waiting = i != 0;
    crowd[i].d.turn.core = os_core() + (elsewhere >> i & 1);
  }
  domain_set_self(&crowd[0].d);
  domain_leave_blocking(&crowd[0].d);
}

static void crowd_leave(void)
{
  for (int i = 0; i < CROWD; i++) {
    domain_set_self(&crowd[i].d);
    if (i != 0) domain_leave_blocking(&crowd[i].d);
    domain_leave(&crowd[i].d, fake_gone, NULL);
  }
  EXPECT_EQ(bac_domains.held, 0);
  sched_setaffinity(0, sizeof crowd_cores, &crowd_cores);
  bac_domains.stw->cores = os_cores();
}

/* A bit for each that is held. */
static unsigned crowd_held(void)
{
  unsigned held = 0;
  for (int i = 0; i < CROWD; i++) held |= crowd[i].d.turn.held << i;
  return held;
}

/* The thread of crowd[i] goes on, and blocks. */
static void crowd_blocks(int i)
{
  domain_set_self(&crowd[i].d);
  domain_leave_blocking(&crowd[i].d);
  domain_enter_blocking(&crowd[i].d);
  crowd[i].d.waiting = 0;
  domain_set_self(&crowd[0].d);
}

TEST(as_many_go_on_as_there_are_cores)
{
  crowd_enter(2, 1 << 1);
  EXPECT(stw_run(&crowd[0].d, check_turns_stw, NULL));
  EXPECT_EQ(crowd_held(), 0x3c);
  crowd_blocks(1);
  EXPECT_EQ(crowd_held(), 0x38);
  /* No stop waits for the held, however often it passes over them. */
  crowd[2].d.waiting = 0;
  for (int i = 0; i < PASSED_OVER_MAX + 2; i++) {
    EXPECT(stw_run(&crowd[0].d, check_turns_stw, NULL));
    EXPECT_EQ(crowd_held(), 0x38);
    EXPECT_EQ(crowd[3].d.state, DOMAIN_BLOCKED);
  }
  crowd_leave();
}

static void body_goes_on_in_turn(struct fake *f)
{
  while (load_seq(&world.stop) == 0) {
    fake_poll(f);
    EXPECT(!load_relaxed(&f->d.turn.held));
    add_seq(&f->acks, 1);
  }
}

TEST(who_has_no_turn_waits_at_its_next_safepoint)
{
  init_once();
  static struct fake leader, other;
  bac_domains.stw->cores = 1;
  REQUIRE(fake_enter(&leader, 0));
  fake_start(&other, body_goes_on_in_turn);
  domain_set_self(&leader.d);
  domain_leave_blocking(&leader.d);
  await_state(&other, DOMAIN_RUNNING);
  while (!stw_run(&leader.d, check_turns_stw, NULL)) {}
  uint32_t acks = load_seq(&other.acks);
  while (load_seq(&other.acks) == acks) os_yield();   /* it has lost patience */
  store_seq(&world.stop, 1);
  domain_leave(&leader.d, fake_gone, NULL);
  pthread_join(other.thread, NULL);
  bac_domains.stw->cores = os_cores();
}

TEST(as_many_turns_pass_as_domains_wait)
{
  crowd_enter(5, 0);
  EXPECT(stw_run(&crowd[0].d, check_turns_stw, NULL));
  EXPECT_EQ(crowd_held(), 0x20);
  for (int i = 0; i < CROWD; i++) crowd[i].d.turn.began = 1;
  EXPECT(stw_run(&crowd[0].d, check_turns_stw, NULL));
  EXPECT_EQ(crowd_held(), 0x21);
  crowd_leave();
}

TEST(turns_end)
{
  crowd_enter(2, 1 << 1);
  EXPECT(stw_run(&crowd[0].d, check_turns_stw, NULL));
  crowd[1].d.turn.began = 1;
  EXPECT(stw_run(&crowd[0].d, check_turns_stw, NULL));
  EXPECT_EQ(crowd_held(), 0x3e);
  EXPECT(!domain_has_interrupts(&crowd[0].d));
  EXPECT(domain_has_interrupts(&crowd[1].d));
  crowd_blocks(1);
  EXPECT_EQ(crowd_held(), 0x38);
  /* The leader's ends like any other's; it waits at its next safepoint only, and may lead before. */
  crowd[0].d.turn.began = 1;
  for (int i = 0; i < 2; i++) {
    EXPECT(stw_run(&crowd[0].d, check_turns_stw, NULL));
    EXPECT_EQ(crowd_held(), 0x39);
  }
  EXPECT(domain_has_interrupts(&crowd[0].d));
  /* It gets the turn of another before it has passed on its own: that goes to the next. */
  for (int i = 3; i < CROWD; i++) crowd[i].d.turn.core++;
  crowd_blocks(2);
  EXPECT_EQ(crowd_held(), 0x30);
  crowd_leave();
}

TEST(turns_are_spread_over_cores)
{
  /* The second is where the first is, the fourth is not. */
  crowd_enter(2, 1 << 3);
  for (int i = 0; i < 2; i++) EXPECT(stw_run(&crowd[0].d, check_turns_stw, NULL));
  EXPECT_EQ(crowd_held(), 0x3e);
  crowd_blocks(1);
  EXPECT_EQ(crowd_held(), 0x34);
  crowd_leave();
}

/* Those on another core get their turn too, if late. */
TEST(nobody_is_skipped_for_ever)
{
  crowd_enter(1, 1 << 1);
  EXPECT(stw_run(&crowd[0].d, check_turns_stw, NULL));
  EXPECT_EQ(crowd_held(), 0x3e);
  domain_enter_blocking(&crowd[0].d);
  EXPECT_EQ(crowd_held(), 0x3a);
  for (int i = 2; crowd_held() >> 1 & 1; i++) {
    REQUIRE(i < CROWD);
    crowd_blocks(i);
  }
  EXPECT_EQ(crowd_held(), 0x30);
  domain_leave_blocking(&crowd[0].d);
  crowd_leave();
}

/* On one core, two that wait for each other: by polling alone, or by yielding. */
static void spin_in_turn(struct fake *f, bool yields)
{
  for (uint32_t i = 0; i < 4; i++) {
    lead(f, check_turns_stw);
    while (load_seq(&world.running) % 2 != (uint32_t)f->d.slot % 2) {
      fake_poll(f);
      if (yields) domain_yield(&f->d);
    }
    add_seq(&world.running, 1);
  }
}

static void body_spins(struct fake *f) { spin_in_turn(f, false); }
static void body_yields(struct fake *f)
{
  uint32_t given = load_relaxed(&bac_domains.stw->turns.given);
  spin_in_turn(f, true);
  EXPECT(load_relaxed(&bac_domains.stw->turns.given) != given);
}

static void body_yields_at_random(struct fake *f)
{
  body_mixed(f);
  for (int i = 0; i < 20 * SCALE; i++) {
    lead(f, check_turns_stw);
    if (rng_below(&f->rng, 2) == 0) domain_yield(&f->d);
    fake_poll(f);
  }
}

static void run_on_cores(unsigned cores, int count, void (*body)(struct fake *))
{
  static struct fake fakes[FAKES];
  init_once();
  bac_domains.stw->cores = cores;
  run_fakes(fakes, count, body);
  EXPECT_EQ(bac_domains.held, 0);
  EXPECT_EQ(sum_heaps(fakes, count), sum_steps(fakes, count) + world.added);
  bac_domains.stw->cores = os_cores();
}

TEST(held_domain_loses_patience) { run_on_cores(1, 2, body_spins); }
TEST(yielding_domains_alternate) { run_on_cores(1, 2, body_yields); }
TEST(turns_at_random)
{
  for (unsigned cores = 1; cores <= 4; cores++) run_on_cores(cores, FAKES, body_yields_at_random);
}

/* ---- Parallel work ---- */

enum { PIECES = 500 };

struct shared_work {
  uint32_t next;          /* [atomic] */
  uint32_t participants;  /* [atomic] */
  uint64_t done[PIECES];  /* [who took the piece] */
};
static struct shared_work shared_work;

static void take_pieces(struct domain *participant, void *arg)
{
  struct shared_work *work = arg;
  EXPECT(participant == domain_self());
  add_seq(&work->participants, 1);
  uint32_t piece;
  while ((piece = add_seq(&work->next, 1)) < PIECES) {
    work->done[piece] += piece;
    container_of(participant, struct fake, d)->heap++;
    if (piece % 100 == 0) os_yield();
  }
}

static void share_work(struct domain *leader, void *arg)
{
  check_stopped(leader);
  for (int jobs = 0; jobs < 3; jobs++) {
    memset(&shared_work, 0, sizeof shared_work);
    int want = jobs;
    stw_parallel(want, take_pieces, &shared_work);
    uint64_t sum = 0;
    for (int i = 0; i < PIECES; i++) sum += shared_work.done[i];
    EXPECT_EQ(sum, (uint64_t)PIECES * (PIECES - 1) / 2);
    EXPECT(shared_work.participants >= 1);
    EXPECT(shared_work.participants <= (want == 0 ? bac_domains.stw->cores : (unsigned)want));
    world.added += PIECES;
  }
  check_stopped(leader);
  world.sections++;
}

static void body_shares(struct fake *f)
{
  for (int i = 0; i < 100 * SCALE; i++) {
    if (rng_below(&f->rng, 40) == 0) lead(f, share_work);
    if (rng_below(&f->rng, 20) == 0) {
      domain_enter_blocking(&f->d);
      domain_leave_blocking(&f->d);
    }
    fake_step(f);
    fake_poll(f);
  }
}

static void share_among(unsigned cores)
{
  static struct fake fakes[FAKES];
  init_once();
  unsigned real = bac_domains.stw->cores;
  bac_domains.stw->cores = cores;
  run_fakes(fakes, FAKES, body_shares);
  bac_domains.stw->cores = real;
  EXPECT_EQ(world.sections, world.led);
  EXPECT_EQ(sum_heaps(fakes, FAKES), sum_steps(fakes, FAKES) + world.added);
}

TEST(parallel_work) { share_among(os_cores()); }
TEST(parallel_work_as_on_one_core) { share_among(1); }
TEST(parallel_work_as_on_many_cores) { share_among(FAKES + 2); }

/* Every parked thread that is called does come, even from sleep. */
static void wait_for_company(struct domain *participant, void *arg)
{
  uint32_t *present = arg;
  add_seq(present, 1);
  while (load_seq(present) < 4) os_yield();
}

static void gather_four(struct domain *leader, void *arg)
{
  usleep(200);
  for (int i = 0; i < 3; i++) {
    uint32_t present = 0;
    stw_parallel(4, wait_for_company, &present);
    EXPECT_EQ(present, 4);
  }
}

/* The first leads once all the others are RUNNING, so that they park. */
static void body_gathers(struct fake *f)
{
  add_seq(&world.running, 1);
  while (load_seq(&world.running) < 6) fake_poll(f), os_yield();
  if (f->d.slot != 0) {
    while (load_seq(&world.stop) == 0) fake_poll(f);
    return;
  }
  for (int i = 0; i < 5 * SCALE; i++) lead(f, gather_four);
  EXPECT_EQ(world.led, 5 * SCALE);
  store_seq(&world.stop, 1);
}

TEST(called_helpers_come)
{
  static struct fake fakes[6];
  init_once();
  unsigned real = bac_domains.stw->cores;
  bac_domains.stw->cores = 6;   /* nobody has to wait for a turn, asleep and not parked */
  run_fakes(fakes, 6, body_gathers);
  bac_domains.stw->cores = real;
}

/* ---- Interrupts ---- */

static void *request_often(void *arg)
{
  struct fake *f = arg;
  for (uint32_t i = 0; i < 1000 * SCALE; i++) {
    domain_request(&f->d, DOMAIN_WANT_USER);
    while (load_seq(&f->acks) == i) os_wait(&f->acks, i, 0);
  }
  store_seq(&world.stop, 1);
  return NULL;
}

static void body_until_stop(struct fake *f)
{
  while (load_seq(&world.stop) == 0) {
    fake_step(f);
    fake_poll(f);
    if (f->d.slot != 0 && f->steps % 1000 == 0) lead(f, touch_all_heaps);
    if (f->steps % 100 == 0) domain_set_trigger(&f->d, f->nursery + f->steps % 8);
  }
}

TEST(requests_are_not_lost)
{
  static struct fake fakes[3];
  init_once();
  pthread_t requester;
  for (int i = 0; i < 3; i++) fake_start(&fakes[i], body_until_stop);
  REQUIRE(pthread_create(&requester, NULL, request_often, &fakes[0]) == 0);
  for (int i = 0; i < 3; i++) pthread_join(fakes[i].thread, NULL);
  pthread_join(requester, NULL);
  EXPECT_EQ(fakes[0].acks, 1000 * SCALE);
  EXPECT_EQ(sum_heaps(fakes, 3), sum_steps(fakes, 3) + world.added);
}

/* A new trigger must not hide a stop that arrives at the same moment. */
static void body_sets_triggers(struct fake *f)
{
  for (int i = 0; f->d.slot == 0 && i < 40 * SCALE; i++) lead(f, touch_all_heaps);
  if (f->d.slot == 0) store_seq(&world.stop, 1);
  while (load_seq(&world.stop) == 0) {
    domain_set_trigger(&f->d, f->nursery + ++f->steps % 8);
    f->heap++;
    fake_poll(f);
  }
}

TEST(triggers_do_not_hide_stops)
{
  static struct fake fakes[3];
  run_fakes(fakes, 3, body_sets_triggers);
  EXPECT_EQ(world.sections, 40 * SCALE);
  EXPECT_EQ(sum_heaps(fakes, 3), sum_steps(fakes, 3) + world.added);
}

TEST(interrupt_word)
{
  init_once();
  static struct fake f;
  REQUIRE(fake_enter(&f, 0));
  domain_set_self(&f.d);
  domain_leave_blocking(&f.d);
  EXPECT(!domain_has_interrupts(&f.d));
  domain_request(&f.d, DOMAIN_WANT_MINOR);
  domain_request(&f.d, DOMAIN_WANT_SLICE);
  EXPECT(domain_has_interrupts(&f.d));
  domain_set_trigger(&f.d, f.nursery + 3);
  EXPECT(domain_has_interrupts(&f.d));
  EXPECT_EQ(domain_take_interrupts(&f.d), DOMAIN_WANT_MINOR | DOMAIN_WANT_SLICE);
  EXPECT_EQ(f.w.young_limit, (uintnat)(f.nursery + 3));
  EXPECT_EQ(domain_take_interrupts(&f.d), 0);
  domain_set_trigger(&f.d, f.nursery + 4);
  EXPECT_EQ(f.w.young_limit, (uintnat)(f.nursery + 4));
  /* An interrupt without a request: taken as none. */
  f.w.young_limit = UINTPTR_MAX;
  EXPECT_EQ(domain_take_interrupts(&f.d), 0);
  EXPECT(!domain_has_interrupts(&f.d));
  EXPECT(!domain_safepoint(&f.d));
  domain_leave(&f.d, fake_gone, NULL);
}

static void safepoint_and_block(struct domain *leader, void *arg)
{
  EXPECT(!domain_safepoint(leader));
  domain_enter_blocking(leader);
  domain_leave_blocking(leader);
  domain_set_trigger(leader, leader->window->young_start);
  EXPECT(!domain_has_interrupts(leader));
}

static void body_leads_oddly(struct fake *f)
{
  for (int i = 0; i < 50 * SCALE; i++) {
    lead(f, safepoint_and_block);
    fake_poll(f);
  }
}

TEST(leader_does_not_stop_itself)
{
  static struct fake fakes[4];
  run_fakes(fakes, 4, body_leads_oddly);
}

/* ---- The table ---- */

static void body_churns(struct fake *f)
{
  for (int i = 0; i < 5 * SCALE; i++) {
    struct fake *child = calloc(1, sizeof *child);
    child->body = body_leads_oddly;
    domain_enter_blocking(&f->d);
    bool entered = fake_enter(child, rng_next(&f->rng));
    if (entered) CHECK(pthread_create(&child->thread, NULL, fake_thread, child) == 0);
    domain_leave_blocking(&f->d);
    if (rng_below(&f->rng, 2)) lead(f, touch_all_heaps);
    domain_enter_blocking(&f->d);
    if (entered) pthread_join(child->thread, NULL);
    domain_leave_blocking(&f->d);
    free(child);
  }
}

static void body_short(struct fake *f)
{
  for (int i = 0; i < 5; i++) {
    lead(f, touch_all_heaps);
    fake_poll(f);
  }
}

TEST(table_slots_and_ids)
{
  init_once();
  static struct fake fakes[TABLE + 1];
  uint64_t first = bac_domains.next_id;
  for (int i = 0; i < TABLE; i++) {
    REQUIRE(fake_enter(&fakes[i], 0));
    EXPECT_EQ(fakes[i].d.id, first + (uint64_t)i);
    EXPECT(bac_domains.live[fakes[i].d.slot] == &fakes[i].d);
  }
  EXPECT_EQ(bac_domains.count, TABLE);
  EXPECT(!fake_enter(&fakes[TABLE], 0));
  for (int i = 0; i < TABLE; i++) {
    int slot = fakes[i].d.slot;
    domain_set_self(&fakes[i].d);
    domain_leave_blocking(&fakes[i].d);
    domain_leave(&fakes[i].d, fake_gone, NULL);
    EXPECT(bac_domains.live[slot] == NULL);
  }
  struct domain refused = { .window = &fakes[0].w };
  EXPECT(!domain_enter(&refused, fake_ready, &refused));
  EXPECT_EQ(bac_domains.count, 0);
  EXPECT_EQ(bac_domains.next_id, first + TABLE);
}

TEST(spawn_and_leave)
{
  static struct fake fakes[4];
  run_fakes(fakes, 4, body_churns);
}

TEST(short_lives)
{
  static struct fake fakes[FAKES];
  for (int i = 0; i < 10 * SCALE; i++) run_fakes(fakes, FAKES, body_short);
}

/* ---- errno, fork, misuse ---- */

static void body_keeps_errno(struct fake *f)
{
  while (load_seq(&world.stop) == 0) {
    errno = 1000 + f->d.slot;
    domain_enter_blocking(&f->d);
    os_yield();
    EXPECT_EQ(errno, 1000 + f->d.slot);
    domain_leave_blocking(&f->d);
    EXPECT_EQ(errno, 1000 + f->d.slot);
    if (++f->steps % 8 == 0) lead(f, touch_all_heaps);
    if (f->steps == 200) store_seq(&world.stop, 1);
  }
}

TEST(blocking_preserves_errno)
{
  static struct fake fakes[4];
  run_fakes(fakes, 4, body_keeps_errno);
}

static void count_domains(struct domain *leader, void *arg)
{
  int count = 0;
  for_each_domain(d) count++;
  *(int *)arg = count;
}

static int fork_child(struct fake *f)
{
  int count = 0;
  alarm(UNIT_TIMEOUT);
  domains_after_fork_child(&f->d);
  bool lone = bac_domains.held == 0 && bac_domains.stw->turns.first == NULL;
  bool led = stw_run(&f->d, count_domains, &count);
  domain_enter_blocking(&f->d);
  domain_leave_blocking(&f->d);
  domain_leave(&f->d, fake_gone, NULL);
  return led && count == 1 && lone && unit_failures == 0 ? 0 : 1;
}

static void body_forks(struct fake *f)
{
  while (f->d.slot != 0 && load_seq(&world.stop) == 0) {
    fake_step(f);
    fake_poll(f);
    if (f->steps % 5000 == 0) lead(f, touch_all_heaps);
  }
  for (int i = 0; f->d.slot == 0 && i < 5; i++) {
    int status = 1;
    domains_before_fork(&f->d);
    pid_t pid = fork();
    if (pid == 0) _exit(fork_child(f));
    domains_after_fork_parent(&f->d);
    domain_enter_blocking(&f->d);
    waitpid(pid, &status, 0);
    domain_leave_blocking(&f->d);
    EXPECT_EQ(status, 0);
  }
  store_seq(&world.stop, 1);
}

/* On one core, so that there is a line of those who wait for a turn. */
TEST(fork_leaves_one_domain) { run_on_cores(1, 3, body_forks); }

static void let_one_run(struct domain *leader, void *arg)
{
  store_seq(&((struct fake *)arg)->d.state, DOMAIN_RUNNING);
}

/* A domain that runs in the middle of a section, planted here, is found out. */
static void break_dom_2(void)
{
  static struct fake leader, other;
  CHECK(fake_enter(&leader, 0) && fake_enter(&other, 0));
  domain_set_self(&leader.d);
  domain_leave_blocking(&leader.d);
  stw_run(&leader.d, let_one_run, &other);
}

static void share_outside_a_section(void) { stw_parallel(0, take_pieces, &shared_work); }

TEST(misuse_aborts)
{
  init_once();
  EXPECT_ABORTS(break_dom_2(), "DOMAIN_STOPPED");
  EXPECT_ABORTS(share_outside_a_section(), "world_is_stopped()");
  EXPECT_ABORTS(domains_init(TABLE, HELPERS), "check failed");
}

UNIT_MAIN()
