-- Made by docs/generate.py from the migrations beside it: what they make of an empty file, in one go.

CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL,
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);

CREATE TABLE catalog_version (
	id INTEGER NOT NULL,
	document TEXT NOT NULL,
	created_ms INTEGER NOT NULL,
	created_by TEXT NOT NULL, task_count INTEGER, published_from INTEGER,
	PRIMARY KEY (id)
);

CREATE TABLE counter (
	name TEXT NOT NULL,
	value INTEGER NOT NULL,
	PRIMARY KEY (name)
);

CREATE TABLE operation (
	id INTEGER NOT NULL,
	at_ms INTEGER NOT NULL,
	user TEXT NOT NULL,
	action TEXT NOT NULL,
	backfill_id INTEGER,
	instance_id INTEGER,
	from_state TEXT,
	to_state TEXT,
	comment TEXT DEFAULT '' NOT NULL, task_id INTEGER,
	PRIMARY KEY (id)
);

CREATE TABLE task (
	id INTEGER NOT NULL,
	name TEXT NOT NULL,
	deployed INTEGER NOT NULL, frozen INTEGER DEFAULT '0' NOT NULL,
	PRIMARY KEY (id),
	UNIQUE (name)
);

CREATE TABLE workspace (
	id INTEGER NOT NULL,
	name TEXT NOT NULL,
	deployed INTEGER NOT NULL,
	PRIMARY KEY (id),
	UNIQUE (name)
);

CREATE TABLE backfill_date (
	backfill_id INTEGER NOT NULL,
	position INTEGER NOT NULL,
	bizdate TEXT NOT NULL,
	group_number INTEGER NOT NULL,
	reached INTEGER NOT NULL,
	total INTEGER NOT NULL,
	successful INTEGER NOT NULL,
	failed INTEGER NOT NULL,
	running INTEGER NOT NULL,
	frozen INTEGER NOT NULL,
	PRIMARY KEY (backfill_id, position),
	FOREIGN KEY(backfill_id) REFERENCES backfill (id)
)
 WITHOUT ROWID
;

CREATE TABLE backfill_task (
	backfill_id INTEGER NOT NULL,
	task_id INTEGER NOT NULL,
	PRIMARY KEY (backfill_id, task_id),
	FOREIGN KEY(backfill_id) REFERENCES backfill (id),
	FOREIGN KEY(task_id) REFERENCES task (id)
)
 WITHOUT ROWID
;

CREATE TABLE instance (
	id INTEGER NOT NULL,
	backfill_id INTEGER,
	task_id INTEGER NOT NULL,
	bizdate TEXT NOT NULL,
	slot INTEGER NOT NULL,
	due_ms INTEGER NOT NULL,
	kind TEXT NOT NULL,
	state TEXT NOT NULL,
	reason TEXT,
	frozen_from TEXT,
	priority INTEGER NOT NULL,
	resource_group TEXT NOT NULL,
	open_waits INTEGER NOT NULL,
	ignores_waits INTEGER DEFAULT '0' NOT NULL,
	start_ms INTEGER NOT NULL,
	run_number INTEGER DEFAULT '1' NOT NULL,
	reruns INTEGER DEFAULT '0' NOT NULL,
	started_ms INTEGER,
	ended_ms INTEGER, code_version_id INTEGER,
	PRIMARY KEY (id),
	CONSTRAINT frozen_from CHECK ((state = 'frozen') = (frozen_from IS NOT NULL)),
	CONSTRAINT kind CHECK (kind = 'run' OR kind = 'dry_run' OR kind = 'off_day' OR kind = 'virtual' OR kind = 'frozen'),
	CONSTRAINT running_has_started CHECK (state <> 'running' OR started_ms IS NOT NULL),
	CONSTRAINT state CHECK (state = 'not_run' OR state = 'waiting_time' OR state = 'waiting_resources' OR state = 'running' OR state = 'successful' OR state = 'failed' OR state = 'frozen'),
	CONSTRAINT open_waits CHECK (open_waits >= 0),
	FOREIGN KEY(backfill_id) REFERENCES backfill (id),
	FOREIGN KEY(task_id) REFERENCES task (id)
);

CREATE TABLE run (
	instance_id INTEGER NOT NULL,
	number INTEGER NOT NULL,
	token TEXT NOT NULL,
	boot_id TEXT NOT NULL,
	started_ms INTEGER NOT NULL,
	ended_ms INTEGER,
	outcome TEXT,
	exit_code INTEGER,
	message TEXT, log_removed_ms INTEGER, version_id INTEGER, host TEXT, executor TEXT,
	PRIMARY KEY (instance_id, number),
	FOREIGN KEY(instance_id) REFERENCES instance (id)
)
 WITHOUT ROWID
;

CREATE TABLE "backfill" (
	id INTEGER NOT NULL,
	name TEXT NOT NULL,
	phase TEXT NOT NULL,
	check_status TEXT NOT NULL,
	version_id INTEGER NOT NULL,
	policy TEXT NOT NULL,
	task_count INTEGER NOT NULL,
	instance_count INTEGER NOT NULL,
	first_instance_id INTEGER NOT NULL,
	stride INTEGER NOT NULL,
	paused INTEGER DEFAULT '0' NOT NULL,
	stopped INTEGER DEFAULT '0' NOT NULL,
	created_by TEXT NOT NULL,
	created_ms INTEGER NOT NULL,
	start_ms INTEGER,
	started_ms INTEGER,
	ended_ms INTEGER,
	selection TEXT NOT NULL,
	choice TEXT NOT NULL,
	analysis TEXT NOT NULL,
	first_estimate TEXT,
	round INTEGER DEFAULT '1' NOT NULL, failures INTEGER DEFAULT '0' NOT NULL, paused_by TEXT, idle_ms INTEGER DEFAULT '0' NOT NULL, idle_since_ms INTEGER, expected TEXT, run_count INTEGER, edition INTEGER DEFAULT '0' NOT NULL,
	PRIMARY KEY (id),
	CONSTRAINT check_status CHECK (check_status IN ('checking', 'passed', 'failed')),
	CONSTRAINT phase CHECK (phase IN ('checking', 'creating', 'refused', 'planned', 'active', 'expired')),
	FOREIGN KEY(version_id) REFERENCES catalog_version (id)
);

CREATE TABLE alert (
	id INTEGER NOT NULL,
	backfill_id INTEGER NOT NULL,
	round INTEGER NOT NULL,
	event TEXT NOT NULL,
	method TEXT NOT NULL,
	instance_id INTEGER,
	queued_ms INTEGER NOT NULL,
	state TEXT NOT NULL,
	tries INTEGER DEFAULT '0' NOT NULL,
	next_ms INTEGER,
	done_ms INTEGER,
	reason TEXT,
	PRIMARY KEY (id),
	CONSTRAINT alert_state CHECK (state = 'pending' OR state = 'sending' OR state = 'sent' OR state = 'undeliverable' OR state = 'given_up'),
	CONSTRAINT alert_next CHECK ((state IN ('pending', 'sending')) = (next_ms IS NOT NULL)),
	FOREIGN KEY(backfill_id) REFERENCES backfill (id) ON DELETE CASCADE,
	CONSTRAINT alert_once UNIQUE (backfill_id, round, event, method)
);

CREATE TABLE user (
	id INTEGER NOT NULL,
	name TEXT NOT NULL,
	email TEXT DEFAULT '' NOT NULL,
	phone TEXT DEFAULT '' NOT NULL,
	is_administrator INTEGER DEFAULT '0' NOT NULL,
	created_ms INTEGER NOT NULL,
	PRIMARY KEY (id),
	UNIQUE (name)
);

CREATE TABLE token (
	id INTEGER NOT NULL,
	user_name TEXT NOT NULL,
	label TEXT DEFAULT '' NOT NULL,
	secret_hash TEXT NOT NULL,
	created_ms INTEGER NOT NULL,
	revoked_ms INTEGER, scope TEXT DEFAULT 'admin' NOT NULL, expires_ms INTEGER, seen_ms INTEGER, resource_groups TEXT,
	PRIMARY KEY (id),
	UNIQUE (secret_hash)
);

CREATE TABLE task_time (
	task_id INTEGER NOT NULL,
	recent TEXT NOT NULL,
	updated_ms INTEGER NOT NULL,
	PRIMARY KEY (task_id),
	FOREIGN KEY(task_id) REFERENCES task (id)
);

CREATE TABLE generation (
	id INTEGER NOT NULL,
	bizdate TEXT NOT NULL,
	kind TEXT NOT NULL,
	phase TEXT NOT NULL,
	version_id INTEGER NOT NULL,
	first_instance_id INTEGER NOT NULL,
	stride INTEGER NOT NULL,
	made_ms INTEGER NOT NULL,
	PRIMARY KEY (id),
	CONSTRAINT kind CHECK (kind IN ('night', 'immediate')),
	CONSTRAINT phase CHECK (phase IN ('creating', 'releasing', 'active')),
	FOREIGN KEY(version_id) REFERENCES catalog_version (id),
	UNIQUE (first_instance_id)
);

CREATE TABLE removed_wait (
	instance_id INTEGER NOT NULL,
	upstream_id INTEGER NOT NULL,
	PRIMARY KEY (instance_id, upstream_id),
	FOREIGN KEY(instance_id) REFERENCES instance (id)
)
 WITHOUT ROWID
;

CREATE TABLE fixed_place (
	instance_id INTEGER NOT NULL,
	priority INTEGER,
	resource_group TEXT,
	PRIMARY KEY (instance_id),
	FOREIGN KEY(instance_id) REFERENCES instance (id)
);

CREATE TABLE content (
	sha256 TEXT NOT NULL,
	data BLOB NOT NULL,
	PRIMARY KEY (sha256)
);

CREATE TABLE identity (
	id INTEGER NOT NULL,
	word TEXT NOT NULL,
	device TEXT NOT NULL,
	inode TEXT NOT NULL,
	boot_id TEXT NOT NULL, project TEXT,
	PRIMARY KEY (id),
	CONSTRAINT one_identity CHECK (id = 1)
);

CREATE TABLE missed_night (
	bizdate TEXT NOT NULL,
	noted_ms INTEGER NOT NULL,
	PRIMARY KEY (bizdate)
);

CREATE TABLE clock_anchor (
	id INTEGER NOT NULL,
	boot TEXT NOT NULL,
	booted INTEGER NOT NULL,
	wall INTEGER NOT NULL,
	tolerance INTEGER NOT NULL,
	shift INTEGER NOT NULL,
	accepted INTEGER NOT NULL,
	gap INTEGER NOT NULL,
	PRIMARY KEY (id)
);

CREATE TABLE failed_start (
	instance_id INTEGER NOT NULL,
	tries INTEGER NOT NULL,
	since_ms INTEGER NOT NULL,
	tried_ms INTEGER NOT NULL,
	message TEXT NOT NULL,
	PRIMARY KEY (instance_id),
	FOREIGN KEY(instance_id) REFERENCES instance (id)
);

CREATE TABLE lease (
	name TEXT NOT NULL,
	holder TEXT NOT NULL,
	number INTEGER NOT NULL,
	until_ms INTEGER NOT NULL,
	note TEXT DEFAULT '' NOT NULL,
	PRIMARY KEY (name)
);

CREATE TABLE access_key (
	id INTEGER NOT NULL,
	key_id TEXT NOT NULL,
	user_name TEXT NOT NULL,
	label TEXT NOT NULL,
	scope TEXT NOT NULL,
	made_with TEXT NOT NULL,
	created_ms INTEGER NOT NULL,
	expires_ms INTEGER,
	seen_ms INTEGER,
	revoked_ms INTEGER,
	PRIMARY KEY (id),
	CONSTRAINT access_key_scope CHECK (scope = 'read' OR scope = 'operate' OR scope = 'admin'),
	UNIQUE (key_id)
);

CREATE TABLE password (
	user_name TEXT NOT NULL,
	hash TEXT NOT NULL,
	set_ms INTEGER NOT NULL,
	PRIMARY KEY (user_name)
);

CREATE TABLE session (
	id INTEGER NOT NULL,
	user_name TEXT NOT NULL,
	secret_hash TEXT NOT NULL,
	way TEXT NOT NULL,
	address TEXT NOT NULL,
	browser TEXT NOT NULL,
	created_ms INTEGER NOT NULL,
	seen_ms INTEGER NOT NULL,
	expires_ms INTEGER NOT NULL,
	ended_ms INTEGER,
	PRIMARY KEY (id),
	CONSTRAINT session_way CHECK (way = 'password' OR way = 'link' OR way = 'oidc'),
	UNIQUE (secret_hash)
);

CREATE TABLE sign_in_link (
	secret_hash TEXT NOT NULL,
	user_name TEXT NOT NULL,
	created_ms INTEGER NOT NULL,
	expires_ms INTEGER NOT NULL,
	used_ms INTEGER,
	PRIMARY KEY (secret_hash)
);

CREATE TABLE subject (
	issuer TEXT NOT NULL,
	subject TEXT NOT NULL,
	user_name TEXT NOT NULL,
	created_ms INTEGER NOT NULL,
	PRIMARY KEY (issuer, subject)
);

CREATE TABLE sign_in_failure (
	about TEXT NOT NULL,
	count INTEGER NOT NULL,
	last_ms INTEGER NOT NULL,
	PRIMARY KEY (about)
);

CREATE TABLE nonce (
	value TEXT NOT NULL,
	until_ms INTEGER NOT NULL,
	PRIMARY KEY (value)
);

CREATE TABLE revision (
	number INTEGER NOT NULL,
	backfills TEXT NOT NULL,
	whole TEXT NOT NULL,
	instances TEXT NOT NULL,
	rights INTEGER NOT NULL,
	PRIMARY KEY (number)
);

CREATE TABLE errand (
	id TEXT NOT NULL,
	kind TEXT NOT NULL,
	user_name TEXT NOT NULL,
	request TEXT NOT NULL,
	created_ms INTEGER NOT NULL,
	backfill_id INTEGER,
	ended_ms INTEGER,
	failure TEXT,
	PRIMARY KEY (id),
	CONSTRAINT errand_kind CHECK (kind IN ('create', 'rerun'))
);

CREATE TABLE request_key (
	user_name TEXT NOT NULL,
	name TEXT NOT NULL,
	request TEXT NOT NULL,
	backfill_id INTEGER NOT NULL,
	created_ms INTEGER NOT NULL,
	PRIMARY KEY (user_name, name)
);

CREATE TABLE saved_form (
	id INTEGER NOT NULL,
	user_name TEXT NOT NULL,
	page TEXT NOT NULL,
	name TEXT,
	fields TEXT NOT NULL,
	saved_ms INTEGER NOT NULL,
	PRIMARY KEY (id),
	UNIQUE (user_name, page, name)
);

CREATE TABLE reported_end (
	instance_id INTEGER NOT NULL,
	number INTEGER NOT NULL,
	token TEXT NOT NULL,
	outcome TEXT NOT NULL,
	exit_code INTEGER,
	signal INTEGER,
	started_ms INTEGER,
	ended_ms INTEGER NOT NULL,
	message TEXT NOT NULL,
	PRIMARY KEY (instance_id, number, token)
)
 WITHOUT ROWID
;

CREATE TABLE host (
	name TEXT NOT NULL,
	label TEXT NOT NULL,
	executor TEXT NOT NULL,
	groups TEXT NOT NULL,
	slots INTEGER NOT NULL,
	version TEXT NOT NULL,
	logs_at TEXT NOT NULL,
	since_ms INTEGER NOT NULL,
	draining INTEGER DEFAULT '0' NOT NULL,
	left_ms INTEGER, token_id INTEGER,
	PRIMARY KEY (name)
);

CREATE INDEX alert_due ON alert (next_ms) WHERE next_ms IS NOT NULL;

CREATE INDEX backfill_ended ON backfill (ended_ms) WHERE ended_ms IS NOT NULL;

CREATE INDEX backfill_held ON backfill (id) WHERE paused = 1 OR stopped = 1;

CREATE INDEX backfill_open ON backfill (id) WHERE ended_ms IS NULL;

CREATE INDEX errand_unended ON errand (created_ms) WHERE ended_ms IS NULL;

CREATE INDEX generation_bizdate ON generation (bizdate);

CREATE INDEX generation_unfinished ON generation (phase) WHERE phase <> 'active';

CREATE UNIQUE INDEX instance_auto ON instance (bizdate, task_id, slot) WHERE backfill_id IS NULL;

CREATE INDEX instance_auto_ready ON instance (task_id) WHERE state = 'waiting_resources' AND backfill_id IS NULL;

CREATE INDEX instance_done ON instance (task_id, bizdate) WHERE state = 'successful' AND kind = 'run';

CREATE INDEX instance_due ON instance (start_ms) WHERE state = 'waiting_time';

CREATE INDEX instance_due_of ON instance (backfill_id) WHERE state = 'waiting_time';

CREATE INDEX instance_failed ON instance (backfill_id, ended_ms, id, reason) WHERE state = 'failed';

CREATE INDEX instance_night ON instance (bizdate, state, ended_ms) WHERE backfill_id IS NULL;

CREATE INDEX instance_ready ON instance (resource_group, priority DESC, (backfill_id IS NOT NULL), due_ms, id, backfill_id, task_id) WHERE state = 'waiting_resources';

CREATE INDEX instance_ready_of ON instance (backfill_id) WHERE state = 'waiting_resources';

CREATE INDEX nonce_until ON nonce (until_ms);

CREATE INDEX operation_backfill ON operation (backfill_id, id);

CREATE INDEX operation_instance ON operation (instance_id, id);

CREATE INDEX operation_task ON operation (task_id, id) WHERE task_id IS NOT NULL;

CREATE INDEX removed_wait_upstream ON removed_wait (upstream_id);

CREATE INDEX request_key_created ON request_key (created_ms);

CREATE INDEX run_offered ON run (instance_id) WHERE ended_ms IS NULL AND host IS NULL AND executor IS NOT NULL;

CREATE INDEX run_open ON run (instance_id) WHERE ended_ms IS NULL;

CREATE INDEX session_user ON session (user_name, id);

CREATE INDEX subject_user ON subject (user_name);

INSERT INTO alembic_version (version_num) VALUES ('0009');
