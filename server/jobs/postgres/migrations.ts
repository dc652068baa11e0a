/**
 * The tables of the job list, one step per version of the schema; a step that was released is never changed, only followed by another.
 *
 * Records are `json` and not `jsonb`: what a program said last may hold characters that `jsonb` refuses (U+0000), and nothing searches inside of them.
 * What is searched by stands in columns of its own. Logs are bytes for the same reason.
 */
export const migrations: readonly string[] = [
  `
  CREATE SEQUENCE ingot.job_order;

  -- The list. An entry is the job as it stands in jobs.json, without its priority.
  CREATE TABLE ingot.jobs (
    id text COLLATE "C" PRIMARY KEY,
    entry json NOT NULL,
    priority integer NOT NULL,
    rank integer NOT NULL GENERATED ALWAYS AS (-priority) STORED,
    -- The user's order, whatever the priorities.
    position numeric NOT NULL DEFAULT nextval('ingot.job_order'),
    assigned_to text,
    assigned boolean NOT NULL GENERATED ALWAYS AS (assigned_to IS NOT NULL) STORED,
    -- Whether the job has a status, kept by the statement that makes or drops it.
    taken boolean NOT NULL DEFAULT false,
    -- Counts the writes of all that is kept of the job: each is made only over the one that its writer has seen.
    revision bigint NOT NULL DEFAULT 1
  ) WITH (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.02, autovacuum_analyze_scale_factor = 0.02);
  CREATE INDEX jobs_position ON ingot.jobs (position);
  -- By booleans, of which the planner guesses well that they hold for many before it has counted: it then reads the index in order.
  CREATE INDEX jobs_available ON ingot.jobs (rank, position, id) WHERE NOT taken AND NOT assigned;
  CREATE INDEX jobs_assigned ON ingot.jobs (rank, position, id) WHERE NOT taken AND assigned;

  -- Absent: the job is available.
  CREATE TABLE ingot.status (
    job text COLLATE "C" PRIMARY KEY REFERENCES ingot.jobs ON DELETE CASCADE,
    state text NOT NULL,
    record json NOT NULL
  ) WITH (fillfactor = 50);

  -- Absent: no attempt was lost.
  CREATE TABLE ingot.history (
    job text COLLATE "C" PRIMARY KEY REFERENCES ingot.jobs ON DELETE CASCADE,
    record json NOT NULL
  );

  -- Jobs that left the list, in the order in which they did.
  CREATE TABLE ingot.ended (
    sequence bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    job text COLLATE "C" NOT NULL,
    outcome text NOT NULL CHECK (outcome IN ('performed', 'removed')),
    -- Of a performed job.
    image_version text COLLATE "C" UNIQUE,
    record json NOT NULL
  );
  CREATE INDEX ended_job ON ingot.ended (job, sequence);

  -- The script of a job is made before the job is listed.
  CREATE TABLE ingot.plans (
    job text COLLATE "C" PRIMARY KEY,
    record json NOT NULL
  );

  -- What workers said; the log of a job is there after it has ended.
  CREATE TABLE ingot.logs (
    chunk uuid PRIMARY KEY,
    job text COLLATE "C" NOT NULL,
    sequence bigint GENERATED ALWAYS AS IDENTITY,
    text bytea NOT NULL
  );
  CREATE INDEX logs_job ON ingot.logs (job, sequence);
  `,
]
