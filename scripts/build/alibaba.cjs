// Two packages in one file, as they share a fifth of their code; each runs when it is asked for.
exports['ali-oss'] = () => require('ali-oss')
exports['alicloud-mns'] = () => require('@alicloud/mns')
