package console

// openRoutes are the pages without a visit.
var openRoutes = []openRoute{
	{"GET /{$}", (*Console).front},
	{"GET /masuk", (*Console).signInForm},
	{"POST /masuk", (*Console).sendLink},
	{"GET /masuk/tautan/{secret}", (*Console).linkPage},
	{"POST /masuk/tautan/{secret}", (*Console).useLink},
	{"GET /oidc/{key}", (*Console).oidcGo},
	{"GET /oidc/{key}/kembali", (*Console).oidcBack},
	{"POST /keluar", (*Console).signOut},
	{"GET /demo/{key}/{person}", (*Console).demoEnter},
	{"GET /s/{number}/{audience}/{mac}", (*Console).statusPage},
	{"POST /s/{number}/{audience}/{mac}", (*Console).statusAnswer},
}

// routes are the desk, each with the one right that it needs.
var routes = []route{
	{"GET /{agency}", readDesk, (*Console).desktop},
	{"GET /{agency}/kabar", ownAccount, (*Console).mark},

	{"GET /{agency}/permohonan/{number}", readDesk, (*Console).requestPage},
	{"POST /{agency}/permohonan/{number}/teruskan", forward, (*Console).forward},
	{"POST /{agency}/permohonan/{number}/tugaskan", assign, (*Console).assign},
	{"POST /{agency}/permohonan/{number}/setujui", decide, (*Console).approve},
	{"POST /{agency}/permohonan/{number}/pratinjau", decide, (*Console).preview},
	{"POST /{agency}/permohonan/{number}/kembalikan", decide, (*Console).giveBack},
	{"POST /{agency}/permohonan/{number}/tolak", decide, (*Console).reject},
	{"POST /{agency}/permohonan/{number}/lengkap", decide, (*Console).complete},
	{"POST /{agency}/permohonan/{number}/terlaksana", decide, (*Console).confirm},
	{"POST /{agency}/permohonan/{number}/tidak-dapat", decide, (*Console).couldNot},
	{"POST /{agency}/permohonan/{number}/dapat-dipakai", decide, (*Console).usable},
	{"POST /{agency}/permohonan/{number}/buka-kembali", decide, (*Console).reopen},
	{"POST /{agency}/permohonan/{number}/catatan", note, (*Console).addNote},
	{"POST /{agency}/permohonan/{number}/sesuaikan", decide, (*Console).refreshSubject},
	{"POST /{agency}/permohonan/{number}/nik", seeIdentity, (*Console).reveal},

	{"GET /{agency}/surat", readLetters, (*Console).lettersPage},
	{"GET /{agency}/surat/{id}", readLetters, (*Console).letterPage},
	{"POST /{agency}/surat/{id}/permohonan", sortLetters, (*Console).makeRequest},
	{"POST /{agency}/surat/{id}/sisihkan", sortLetters, (*Console).setAside},
	{"POST /{agency}/surat/{id}/ulang", retryLetters, (*Console).retryLetter},
	{"POST /{agency}/surat/{id}/lembar", readDesk, (*Console).openSheets},
	{"GET /{agency}/surat/{id}/lembar/{file}/{page}", readDesk, (*Console).sheetPicture},
	{"GET /{agency}/surat/{id}/berkas/{file}", readDesk, (*Console).download},

	{"GET /{agency}/ams", lendSession, (*Console).amsForm},
	{"POST /{agency}/ams", lendSession, (*Console).lend},
	{"POST /{agency}/ams/akhiri", lendSession, (*Console).endLending},

	{"GET /{agency}/akun", ownAccount, (*Console).accountPage},
	{"GET /{agency}/akun/masuk", ownAccount, (*Console).landed},
	{"GET /{agency}/akun/kunci", ownAccount, (*Console).keyPage},
	{"POST /{agency}/akun/kunci/minta", ownAccount, (*Console).enrolBegin},
	{"POST /{agency}/akun/kunci/simpan", ownAccount, (*Console).enrolEnd},
	{"POST /{agency}/akun/kunci/tanya", ownAccount, (*Console).showBegin},
	{"POST /{agency}/akun/kunci/tunjukkan", ownAccount, (*Console).showEnd},
	{"POST /{agency}/akun/kunci/cabut", ownAccount, (*Console).dropKey},
	{"POST /{agency}/akun/sesi/{id}/akhiri", ownAccount, (*Console).endOwnVisit},
	{"POST /{agency}/kunci/setujui", consent, (*Console).consentKey},
	{"POST /{agency}/kunci/tolak", consent, (*Console).refuseKey},
	{"POST /{agency}/sesi/{id}/akhiri", runSystem, (*Console).endVisit},

	{"GET /{agency}/sistem", readSystem, (*Console).systemPage},
	{"POST /{agency}/sistem/pekerjaan/{id}/ulang", runSystem, (*Console).retryJob},
	{"POST /{agency}/sistem/pekerjaan/{id}/batal", runSystem, (*Console).cancelJob},
	{"POST /{agency}/sistem/surel/{id}/ulang", runSystem, (*Console).sendAgain},
	{"POST /{agency}/sistem/reset", stopResets, (*Console).holdResets},

	{"GET /{agency}/pengaduan", readComplaint, (*Console).complaintsPage},
	{"GET /{agency}/pengaduan/baru", workComplaint, (*Console).newComplaint},
	{"POST /{agency}/pengaduan", workComplaint, (*Console).enterComplaint},
	{"GET /{agency}/pengaduan/{number}", readComplaint, (*Console).complaintPage},
	{"POST /{agency}/pengaduan/{number}/{act}", workComplaint, (*Console).actComplaint},

	{"GET /{agency}/kantor", readOffices, (*Console).officesPage},
	{"GET /{agency}/kantor/daftar.csv", readOffices, (*Console).exportOffices},
	{"POST /{agency}/kantor", editOffices, (*Console).addOffice},
	{"POST /{agency}/kantor/impor", editOffices, (*Console).importOffices},
	{"POST /{agency}/usul/{id}", editOffices, (*Console).settleChange},
	{"GET /{agency}/kantor/{office}", readOffices, (*Console).officePage},
	{"POST /{agency}/kantor/{office}", editOffices, (*Console).saveOffice},
	{"POST /{agency}/kantor/{office}/pejabat", editOffices, (*Console).saveOfficial},
	{"POST /{agency}/kantor/{office}/hapus", editOffices, (*Console).dropOfficial},

	{"GET /{agency}/pimpinan", readReport, (*Console).reportPage},
	{"GET /{agency}/pimpinan/lewat.csv", readReport, (*Console).exportReport},
}
