BEGIN TRANSACTION;
CREATE TABLE about (
	name VARCHAR NOT NULL, 
	value VARCHAR NOT NULL, 
	PRIMARY KEY (name)
);
INSERT INTO "about" VALUES('version','1');
CREATE TABLE datasets (
	id VARCHAR NOT NULL, 
	source VARCHAR NOT NULL, 
	rows BIGINT NOT NULL, 
	columns BIGINT NOT NULL, 
	object VARCHAR NOT NULL, 
	saved VARCHAR NOT NULL, 
	PRIMARY KEY (id)
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
INSERT INTO "runs" VALUES('t','lightgbm-4f2a91','lightgbm','dddddddddddddddddddddddddddddddd','2025-01-02T03:04:05.000006+00:00','finished','{"format": "run.v1", "id": "lightgbm-4f2a91", "training": "t", "plan": {"task": "classification", "learner": "lightgbm", "metric": "auc", "loss": "log_loss", "folds": 5, "seed": 0, "options": {"num_leaves": 31, "extra": true}, "members": []}, "dataset": "dddddddddddddddddddddddddddddddd", "status": "finished", "started": "2025-01-02T03:04:05.000006+00:00", "model": "mmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmm", "cost": {"fit_seconds": 1.5, "cpu_seconds": 1.25, "predict_seconds": 1e-06, "row_seconds": 9e-05, "size": 12345}, "curves": [{"steps": [1, 2], "loss": [0.5, 0.25], "best": 2}, {"steps": [], "loss": [], "best": 0}], "weights": {"a-1": 0.25, "b-2": 0.75}, "scores": {"auc": {"value": 0.9, "low": 0.88, "high": 0.92, "level": 0.95, "n": 100, "method": "DeLong", "reason": ""}, "f1": {"value": "nan", "low": "nan", "high": "nan", "level": 0.95, "n": 0, "method": "none", "reason": "no rows"}}, "environment": {"python": "3.11"}, "notes": ["one", "zwei"], "warnings": [], "seed": 7}','','');
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
INSERT INTO "trials" VALUES('study',0,'{"format": "trial.v1", "learner": "ridge", "options": {"alpha": 1.0}, "loss": 0.5}','2026-11-26T14:56:33.450819+00:00');
CREATE INDEX runs_by_id ON runs (id);
CREATE INDEX logs_of_run ON logs (run);
COMMIT;
