BEGIN TRANSACTION;
CREATE TABLE about (
	name VARCHAR NOT NULL, 
	value VARCHAR NOT NULL, 
	PRIMARY KEY (name)
);
INSERT INTO "about" VALUES('version','2');
INSERT INTO "about" VALUES('newest decision','1 76dbe15109c7a86be571d68256469ff9');
CREATE TABLE datasets (
	id VARCHAR NOT NULL, 
	source VARCHAR NOT NULL, 
	rows BIGINT NOT NULL, 
	columns BIGINT NOT NULL, 
	object VARCHAR NOT NULL, 
	saved VARCHAR NOT NULL, 
	PRIMARY KEY (id)
);
CREATE TABLE decisions (
	number INTEGER NOT NULL, 
	record VARCHAR NOT NULL, 
	hash VARCHAR NOT NULL, 
	PRIMARY KEY (number)
);
INSERT INTO "decisions" VALUES(1,'{"format": "decision.v1", "kind": "review", "subject": "profile", "by": "Ann", "why": "sound", "body": {}, "at": "2026-11-26T21:49:40.659694+00:00", "number": 1, "previous": "", "hash": "76dbe15109c7a86be571d68256469ff9"}','76dbe15109c7a86be571d68256469ff9');
CREATE TABLE findings (
	run VARCHAR NOT NULL, 
	saved VARCHAR NOT NULL, 
	record VARCHAR NOT NULL, 
	PRIMARY KEY (run)
);
CREATE TABLE folds (
	"key" VARCHAR NOT NULL, 
	object VARCHAR NOT NULL, 
	seconds DOUBLE NOT NULL, 
	saved VARCHAR NOT NULL, 
	PRIMARY KEY ("key")
);
CREATE TABLE ledger (
	number INTEGER NOT NULL, 
	record VARCHAR NOT NULL, 
	PRIMARY KEY (number)
);
INSERT INTO "ledger" VALUES(1,'{"format": "entry.v1", "kind": "evaluate", "run": "ridge-1", "dataset": "d", "metric": "auc", "outcome": "", "facts": {"auc": 0.81}, "examples": "ec9306a0cca7b24db6f93468f3e7b572", "number": 0, "at": "2026-11-26T21:49:40.652194+00:00", "by": "root"}');
INSERT INTO "ledger" VALUES(2,'{"format": "entry.v1", "kind": "gate", "run": "größer-2", "dataset": "d", "metric": "auc", "outcome": "passed", "facts": {}, "examples": "2c7ba703a7e92bcdc71a124ff7e60aed", "number": 0, "at": "2026-11-26T21:49:40.656684+00:00", "by": "root"}');
CREATE TABLE logs (
	number INTEGER NOT NULL, 
	run VARCHAR NOT NULL, 
	step BIGINT NOT NULL, 
	at DOUBLE NOT NULL, 
	metrics VARCHAR NOT NULL, 
	PRIMARY KEY (number)
);
CREATE TABLE runs (
	training VARCHAR NOT NULL, 
	id VARCHAR NOT NULL, 
	learner VARCHAR NOT NULL, 
	dataset VARCHAR NOT NULL, 
	started VARCHAR NOT NULL, 
	status VARCHAR NOT NULL, 
	record VARCHAR NOT NULL, 
	predictions VARCHAR NOT NULL, 
	files VARCHAR NOT NULL, 
	PRIMARY KEY (training, id)
);
CREATE TABLE splits (
	dataset VARCHAR NOT NULL, 
	object VARCHAR NOT NULL, 
	saved VARCHAR NOT NULL, 
	PRIMARY KEY (dataset)
);
CREATE TABLE trainings (
	id VARCHAR NOT NULL, 
	record VARCHAR NOT NULL, 
	started VARCHAR NOT NULL, 
	status VARCHAR NOT NULL, 
	pid BIGINT NOT NULL, 
	space VARCHAR NOT NULL, 
	heartbeat DOUBLE NOT NULL, 
	PRIMARY KEY (id)
);
CREATE TABLE trials (
	study VARCHAR NOT NULL, 
	number INTEGER NOT NULL, 
	record VARCHAR NOT NULL, 
	saved VARCHAR NOT NULL, 
	PRIMARY KEY (study, number)
);
CREATE INDEX runs_by_id ON runs (id);
CREATE INDEX logs_of_run ON logs (run);
COMMIT;
